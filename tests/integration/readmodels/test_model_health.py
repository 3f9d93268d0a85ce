"""Model health from PostgreSQL: drift of features, and calibration of scores."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine

from domain.errors import UnavailableError
from domain.events import Thresholds
from domain.features import CATALOGUE
from domain.times import DAY, HOUR, MINUTE
from operations.monitoring.health import HealthQuery, measured
from projections.readmodels.model_health import keep, measured_at
from projections.readmodels.queries.live_window import LiveWindow
from projections.readmodels.queries.results import MeasuredHealth
from projections.readmodels.storage.connecting import build_engine
from projections.settings import PostgresSettings
from tests.builders.monitored_models import (
    MODEL,
    decided,
    frauds,
    monitored_model,
    project,
    traffic,
)
from tests.builders.read_model_facts import NOON, labelled

LATER = NOON + 25 * HOUR
DAY_ROUND = HealthQuery(LATER, window=25 * HOUR)


def test_the_traffic_of_its_training_is_steady(engine: Engine) -> None:
    project(engine, *decided(*traffic(1500, 3)))
    found = measured(engine, monitored_model(), MODEL, DAY_ROUND)
    assert (found.decisions, found.sampled, found.degraded) == (1500, 1500, 0)
    assert found.drifted == []
    assert found.levels["scores"] == "steady"
    week = measured(engine, monitored_model(), MODEL, HealthQuery(LATER))
    assert week.level == "unknown"
    assert week.coverage == pytest.approx(25 / 168, abs=0.001)


def test_features_that_drift_and_scores_that_rise_are_an_alert(engine: Engine) -> None:
    vectors, scores = traffic(1500, 3)
    vectors[:, 4] *= 3
    vectors[:, 7] = np.nan
    project(engine, *decided(vectors, np.sqrt(scores)))
    found = measured(engine, monitored_model(), MODEL, DAY_ROUND)
    assert {each.feature for each in found.drifted} == {CATALOGUE.names[4], CATALOGUE.names[7]}
    lost = next(each for each in found.features if each.feature == CATALOGUE.names[7])
    assert lost.unknown[0] == pytest.approx(0.05, abs=0.02)
    assert lost.unknown[1] == 1.0
    assert found.levels["features"] == found.levels["scores"] == found.level == "alert"


def test_only_whole_decisions_of_the_model_and_the_window_are_read(engine: Engine) -> None:
    vectors, scores = traffic(20, 3)
    others: list[dict[str, Any]] = [
        {"model_hash": "b" * 64},
        {"path": "fallback", "model_hash": "", "model_id": "rules-only"},
        {"flags": ["features_unavailable"]},
        {"feature_set": "of before", "features": [1.0]},
    ]
    facts = decided(vectors, scores)
    for number, changes in enumerate(others):
        facts += decided(vectors, scores, prefix=f"o{number}", **changes)
    project(engine, *facts, *decided(vectors, scores, LATER, "late"))
    values = LiveWindow(engine, MODEL, NOON, LATER).values(CATALOGUE.hash, len(CATALOGUE))
    assert (values.decisions, values.whole, values.span) == (20 * 4, 20, 19 * MINUTE)
    np.testing.assert_array_equal(values.vectors, vectors.astype(np.float32))
    np.testing.assert_array_equal(values.scores, scores)


def test_many_decisions_are_sampled_evenly(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("projections.readmodels.queries.live_window.MOST_ROWS", 100)
    project(engine, *decided(*traffic(600, 3)))
    window = LiveWindow(engine, MODEL, NOON, LATER)
    first, again = (window.values(CATALOGUE.hash, len(CATALOGUE)) for _ in range(2))
    assert first.whole == 600
    assert 50 < len(first.scores) < 150
    np.testing.assert_array_equal(first.scores, again.scores)


def test_frauds_are_counted_by_week_and_by_what_was_known_days_later(engine: Engine) -> None:
    vectors, _ = traffic(4, 3)
    said = [
        labelled("t-0", 1, NOON + 5 * DAY),
        labelled("t-1", 1, NOON + 20 * DAY),
        labelled("t-2", 1, NOON + 5 * DAY, "r1"),
        labelled("t-2", 0, NOON + 40 * DAY, "r2"),
        labelled("t-3", 1, NOON + 200 * DAY),
        # By a clock that was behind: it is the last of the log, and so the report never counted.
        labelled("t-0", 0, NOON + 4 * DAY, "r2"),
    ]
    project(engine, *decided(vectors, [0.1, 0.2, 0.3, 0.95]), *said)
    [week] = LiveWindow(engine, MODEL, NOON, NOON + 100 * DAY).weeks((7, 30, 60))
    assert (week.decided, week.declined, week.declined_frauds) == (3, 1, 0)
    assert week.expected == pytest.approx(0.6)
    assert week.frauds == {7: 1, 30: 2, 60: 1}
    [week] = LiveWindow(engine, MODEL, NOON, NOON + 300 * DAY).weeks((7,))
    assert week.declined_frauds == 1


def test_frauds_beyond_the_expected_number_are_an_alert(engine: Engine) -> None:
    facts = decided(*traffic(1500, 3))
    now = NOON + 50 * DAY
    asked = HealthQuery(now, window=51 * DAY)
    promised = round(float(traffic(1500, 3)[1].sum()))
    log = project(engine, *facts, *frauds(f"t-{number}" for number in range(promised)))
    assert measured(engine, monitored_model(), MODEL, asked).levels["calibration"] == "steady"
    more = frauds((f"t-{number}" for number in range(promised, 3 * promised)), DAY)
    project(engine, *more, log=log)
    found = measured(engine, monitored_model(), MODEL, asked)
    assert found.judged.ratio == pytest.approx(3, abs=0.1)
    assert (found.levels["calibration"], found.levels["labels"]) == ("alert", "alert")
    assert found.drifted == []


def test_frauds_that_were_not_referred_lower_recall_as_soon_as_they_are_known(
    engine: Engine,
) -> None:
    """Declined payments take no part, nor do decisions at other thresholds."""
    vectors, _ = traffic(40, 3)
    given: list[dict[str, Any]] = [
        {"prefix": "t"},
        {"prefix": "stopped", "outcome": "decline"},
        {"prefix": "other", "thresholds": Thresholds(review=0.05, step_up=0.7, decline=0.9)},
    ]
    facts = [fact for each in given for fact in decided(vectors, [0.6] * 8 + [0.1] * 32, **each)]
    keys = [f"{each['prefix']}-{number}" for each in given for number in range(40)]
    project(engine, *facts, *frauds(keys))
    found = measured(engine, monitored_model(), MODEL, HealthQuery(NOON + 6 * DAY))
    assert found.recall is not None
    assert (found.recall.live.share, found.recall.payments, found.recall.days) == (0.2, 40, 8)
    assert (found.levels["recall"], found.levels["calibration"]) == ("alert", "unknown")
    before = measured(engine, monitored_model(), MODEL, HealthQuery(NOON + 5 * DAY))
    assert before.levels["recall"] == "unknown"


def test_referred_payments_that_turn_out_genuine_lower_precision(engine: Engine) -> None:
    vectors, _ = traffic(100, 3)
    told = [labelled(f"t-{number}", 0, NOON + DAY, kind="genuine") for number in range(80)]
    log = project(engine, *decided(vectors, [0.6, 0.75] * 50), *told)
    asked = HealthQuery(NOON + 2 * DAY)
    found = measured(engine, monitored_model(), MODEL, asked)
    assert found.precision is not None
    assert (found.precision.live.share, found.precision.open) == (0.2, 20)
    assert found.levels["precision"] == "alert"
    again = [
        labelled(f"t-{number}", 1, NOON + DAY + HOUR, "r2", "fraud_report") for number in range(40)
    ]
    project(engine, *again, log=log)
    found = measured(engine, monitored_model(), MODEL, asked)
    assert found.precision is not None
    assert (found.precision.live.share, found.levels["precision"]) == (0.6, "steady")


def test_a_silent_server_is_named() -> None:
    silent = build_engine(PostgresSettings("postgresql+psycopg://nobody@127.0.0.1:1/none"))
    with pytest.raises(UnavailableError, match="postgresql"):
        measured(silent, monitored_model(), MODEL, HealthQuery(LATER))
    silent.dispose()


def test_monitors_of_two_hosts_may_keep_what_they_measured_at_once(engine: Engine) -> None:
    row = MeasuredHealth(
        model_hash="a" * 64, model_id="m", measure="scores", feature="", value=0.1,
        level="steady", measured_time=NOON,
    )  # fmt: skip
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: keep(engine, [row]), range(40)))
    assert measured_at(engine) == NOON
