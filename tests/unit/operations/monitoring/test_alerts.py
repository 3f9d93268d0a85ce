"""A model over a limit raises one alert per measure and day, which names the cause."""

import numpy as np

from domain.times import DAY, HOUR
from inference.monitoring.calibration import Week
from inference.monitoring.catches import LivePayments
from inference.proportions import Proportion
from operations.monitoring.alerts import alerts_of, rows_of
from tests.builders.artefacts import LIMITS, NOW, measured


def test_a_healthy_model_raises_nothing() -> None:
    assert alerts_of(measured(0), LIMITS, NOW) == []


def test_an_alert_names_the_model_the_measure_and_what_drifted() -> None:
    health = measured(3)
    [data] = alerts_of(health, LIMITS, NOW)
    assert (data.model_id, data.measure, data.features) == ("m", "features", ["a"])
    assert data.value > data.limit == 0.25
    assert "1 of 1 features drifted, most of all a" in data.summary
    assert (data.since, data.until) == (health.since, health.until)


def test_an_alert_has_one_id_per_day() -> None:
    health = measured(3)
    [first], [again], [next_day] = (
        alerts_of(health, LIMITS, now) for now in (NOW, NOW + HOUR, NOW + DAY)
    )
    assert first.alert_id == again.alert_id != next_day.alert_id


def test_calibration_alerts_give_the_numbers_of_frauds() -> None:
    weeks = [Week(0, 900, 20.0, 5, 1, {7: 30, 30: 50, 60: 50, 90: 50})]
    found = {each.measure: each for each in alerts_of(measured(0, weeks=weeks), LIMITS, NOW)}
    assert "50 frauds where scores promised 20.0" in found["calibration"].summary
    assert found["calibration"].value == 2.5
    # Nothing was fraud in that training data: a ratio to it still has to be a number.
    assert 1 < found["labels"].value < float("inf")


def test_alerts_of_precision_and_recall_give_both_shares() -> None:
    missed = LivePayments(
        np.zeros(40, np.int64), np.arange(40), np.arange(40) < 4, np.ones(40)
    )  # fmt: skip
    clear = LivePayments(
        np.zeros(200, np.int64), np.arange(200), np.ones(200, bool),
        np.where(np.arange(200) < 190, 0.0, np.nan),
    )  # fmt: skip
    expected = Proportion(0.7, 0.6, 0.8, 80.0)
    for payments, measure, summary in (
        (missed, "recall", "10.0% of the known frauds not declined was reviewed or stepped up,"),
        (clear, "precision", "stepped up is fraud (10 without a label among them), 70.0% expected"),
    ):
        health = measured(0, payments=payments, expected=expected)
        found = {str(each.measure): each for each in alerts_of(health, LIMITS, NOW)}
        assert summary in found[measure].summary
        assert found[measure].value > found[measure].limit == 2
        shown = {row.measure: row.value for row in rows_of(health, NOW)}
        assert shown[f"{measure}_expected"] == 0.7
        assert shown[measure] in (0.1, 0.05)


def test_rows_for_metrics_have_one_per_feature_and_one_per_measure() -> None:
    rows = rows_of(measured(3), NOW)
    keys = [(row.measure, row.feature) for row in rows]
    assert len(keys) == len(set(keys))
    assert ("psi", "a") in keys
    levels = {row.measure: row.level for row in rows}
    assert (levels["health"], levels["score_psi"]) == ("alert", "steady")
    few = rows_of(measured(3, rows=100), NOW)
    assert [row for row in few if row.measure == "psi"] == []
