"""Metrics at a maturity use the labels known by then and no others."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from domain.errors import InvalidInputError
from domain.events import Thresholds
from domain.features.payments import MATURITIES, Payments
from domain.times import DAY
from inference.evaluation.measures import AS_KNOWN, MeasureSettings, by_maturity
from inference.evaluation.metrics import average_precision
from inference.frame.frame import Floats, Frame

AT = Thresholds(review=0.3, step_up=0.6, decline=0.8)
NAMES = ["as known", "7 days", "30 days", "60 days", "90 days"]
NOW = 100 * DAY


def frame(
    labels: Sequence[int | None], matured: list[list[int]], declined: list[int] | None = None
) -> Frame:
    count = len(labels)
    payments = Payments(
        np.arange(1, count + 1),
        np.full(count, 1000),
        np.array(declined or [0] * count, dtype=bool),
        np.array(matured, dtype=np.int8),
    )
    return Frame(
        np.zeros((count, 1)),
        np.array([np.nan if label is None else label for label in labels], dtype=float),
        np.arange(count) * DAY * 10,
        np.ones(count),
        ("a",),
        "set",
        NOW,
        payments=payments,
    )


def settled(labels: list[int]) -> list[list[int]]:
    return [[label] * len(MATURITIES) for label in labels]


SCORES: Floats = np.array([0.9, 0.1, 0.4, 0.2, 0.7, 0.05, 0.6, 0.1, 0.8, 0.3])
LABELS = [1, 0, 0, 0, 1, 0, 0, 0, 1, 0]


def test_payments_too_young_for_a_maturity_take_no_part() -> None:
    told = by_maturity(frame(LABELS, settled(LABELS)), SCORES, AT, MeasureSettings())
    assert list(told) == NAMES
    # One payment every ten days, the youngest ten days old.
    assert [told[name]["payments"] for name in NAMES] == [10, 10, 8, 5, 2]
    assert [told[name]["frauds"] for name in NAMES] == [3, 3, 2, 2, 1]


def test_a_label_counts_from_the_maturity_on_at_which_it_was_known() -> None:
    matured = settled(LABELS)
    matured[4] = [-1, 0, 1, 1]  # told of as genuine within 30 days, as fraud within 60
    told = by_maturity(frame(LABELS, matured), SCORES, AT, MeasureSettings())
    assert [told[name]["frauds"] for name in NAMES] == [3, 2, 1, 2, 1]
    assert [told[name]["genuine"] for name in NAMES] == [7, 7, 7, 3, 1]
    rows = [n for n in range(10) if n != 4]
    expected = average_precision(
        np.array(LABELS, dtype=float)[rows],
        SCORES[rows],
        # Six unlabelled frauds would weigh on the genuine ones: here one does.
        np.where(np.array(LABELS)[rows] == 1, 1.0, 8 / 7),
    )
    assert told["7 days"]["average_precision"] == pytest.approx(expected)


def test_declined_payments_are_censored_and_counted() -> None:
    declined = [1, 0, 0, 0, 0, 0, 0, 0, 1, 0]
    made = frame(LABELS, settled(LABELS), declined)
    told = by_maturity(made, SCORES, AT, MeasureSettings())
    assert [told[name]["censored"] for name in NAMES] == [2, 2, 1, 1, 1]
    assert [told[name]["payments"] for name in NAMES] == [8, 8, 7, 4, 1]
    assert told[AS_KNOWN]["frauds"] == 1


def test_where_a_kind_of_label_is_missing_only_counts_are_given() -> None:
    none = [0] * 10
    told = by_maturity(frame(none, settled(none)), SCORES, AT, MeasureSettings())
    assert told[AS_KNOWN] == {"payments": 10, "frauds": 0, "genuine": 10, "censored": 0}


def test_the_chosen_measures_are_given() -> None:
    chosen = MeasureSettings(cards=(1, 2), budgets=(0.1, 0.3))
    told = by_maturity(frame(LABELS, settled(LABELS)), SCORES, AT, chosen)[AS_KNOWN]
    assert set(told["card_precision"]) == {"1", "2"}
    # Each payment is a day of its own: three of ten first places are frauds.
    assert told["card_precision"]["1"] == pytest.approx(0.3)
    assert told["recall_within_budget"] == {"0.1": pytest.approx(1 / 3), "0.3": pytest.approx(1.0)}
    assert told["money"]["saved"] == pytest.approx(3000 - 200 * 2)


def test_without_payments_what_needs_them_is_left_out() -> None:
    bare = replace(frame(LABELS, settled(LABELS)), payments=None)
    told = by_maturity(bare, SCORES, AT, MeasureSettings())
    assert list(told) == [AS_KNOWN]
    assert told[AS_KNOWN]["money"] is None
    assert told[AS_KNOWN]["card_precision"] == {"100": None}
    assert told[AS_KNOWN]["auc"] == 1.0


@pytest.mark.parametrize("given", [{"cards": (0,)}, {"budgets": (0.0,)}, {"budgets": (1.5,)}])
def test_measure_settings_out_of_range_are_refused(given: dict[str, tuple[float, ...]]) -> None:
    with pytest.raises(InvalidInputError):
        MeasureSettings(**given)  # type: ignore[arg-type]
