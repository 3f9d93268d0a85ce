"""Health has a level where there is enough data, and names what drifted."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from domain.errors import NotFoundError
from domain.times import DAY
from inference.monitoring.calibration import WEEK, Week, calibration, label_drift
from inference.monitoring.drift import score_drift
from inference.monitoring.limits import Limits
from inference.monitoring.report import Live, health
from tests.builders.artefacts import NO_PAYMENTS, made, manifest

LIMITS = Limits()
NOW = 100 * DAY


def week(begin: int, expected: float, observed: int, **given: Any) -> Week:
    fields: dict[str, Any] = {"decided": 5000, "declined": 20, "declined_frauds": 0} | given
    return Week(begin=begin, expected=expected, observed={7: observed, 30: observed}, **fields)


def live(values: Any, scores: Any, weeks: list[Week] | None = None) -> Live:
    return Live(0, NOW, len(scores), 0, NOW, values, scores, weeks or [], NO_PAYMENTS)


def test_only_mature_weeks_count() -> None:
    weeks = [week(0, 50, 50), week(NOW - WEEK - 29 * DAY, 50, 0)]
    found = calibration(weeks, 30, NOW, LIMITS)
    assert (found.weeks, found.ratio, found.level) == (1, 1.0, "steady")


def test_frauds_beyond_what_was_expected_are_an_alert_and_so_are_too_few() -> None:
    assert calibration([week(0, 50, 120)], 30, NOW, LIMITS).level == "alert"
    assert calibration([week(0, 50, 85)], 30, NOW, LIMITS).level == "warn"
    assert calibration([week(0, 50, 12)], 30, NOW, LIMITS).level == "alert"
    assert calibration([week(0, 50, 0)], 30, NOW, LIMITS).level == "alert"


def test_too_few_frauds_have_no_level() -> None:
    assert calibration([week(0, 2, 6)], 30, NOW, LIMITS).level == "unknown"
    assert calibration([week(0, 8, 13)], 30, NOW, LIMITS).level == "steady"
    assert calibration([], 30, NOW, LIMITS).ratio is None


def test_calibrated_scores_seldom_raise_an_alert() -> None:
    random = np.random.default_rng(5)
    levels = []
    for _ in range(500):
        scores = random.beta(0.2, 20, 5000)
        frauds = int((random.random(5000) < scores).sum())
        levels.append(calibration([week(0, scores.sum(), frauds)], 30, NOW, LIMITS).level)
    assert levels.count("steady") >= 497


def test_declined_payments_widen_what_may_be_said_of_labels() -> None:
    """Five in a thousand were fraud; now one in a thousand of those not declined, of whom
    some would have been."""
    few = [week(0, 0, 10, decided=9990, declined=10)]
    many = [week(0, 0, 10, decided=9900, declined=100)]
    found = label_drift(0.005, few, 30, NOW, LIMITS)
    assert found is not None
    assert (found.least, found.most, found.level) == (0.001, 0.002, "alert")
    wide = label_drift(0.005, many, 30, NOW, LIMITS)
    assert wide is not None
    assert (wide.most, wide.level) == (0.011, "steady")
    assert label_drift(0.005, [], 30, NOW, LIMITS) is None


def test_scores_that_shift_are_seen_by_all_three_measures() -> None:
    random = np.random.default_rng(6)
    before = random.beta(1, 50, 20_000)
    reference = made(np.zeros(20_000), before)
    same = score_drift(reference, random.beta(1, 50, 3000), LIMITS)
    moved = score_drift(reference, random.beta(1, 20, 3000), LIMITS)
    assert (same.level, moved.level) == ("steady", "alert")
    assert same.ks < 0.05 < moved.ks
    assert same.wasserstein < 0.001 < moved.wasserstein


def test_a_report_names_the_drifted_features_and_the_worst_level() -> None:
    random = np.random.default_rng(7)
    scores = random.beta(1, 50, 2000)
    column = random.normal(size=2000)
    given = manifest(reference=made(column, scores))
    steady = health(given, "h", live(column[:, None], scores), LIMITS)
    assert (steady.level, steady.drifted) == ("steady", [])
    shifted = health(given, "h", live(column[:, None] + 3, scores), LIMITS)
    assert shifted.levels == {
        "features": "alert", "scores": "steady", "labels": "unknown", "calibration": "unknown",
        "precision": "unknown", "recall": "unknown",
    }  # fmt: skip
    assert [each.feature for each in shifted.drifted] == ["a"]


def test_too_little_traffic_is_unknown_however_far_it_lies() -> None:
    given = manifest(reference=made(np.zeros(2000)))
    few = np.full(499, 9.0)
    assert health(given, "h", live(few[:, None], few), LIMITS).level == "unknown"


def test_traffic_of_less_than_the_window_is_unknown_for_it_lacks_the_rhythm_of_a_week() -> None:
    given = manifest(reference=made(np.zeros(2000)))
    many = np.full(2000, 9.0)
    short = Live(0, NOW, 2000, 0, NOW // 7, many[:, None], many, [], NO_PAYMENTS)
    assert health(given, "h", short, LIMITS).level == "unknown"
    asked_so = dataclasses.replace(LIMITS, coverage=0.1)
    assert health(given, "h", short, asked_so).level == "alert"


def test_a_model_without_reference_is_refused_with_what_to_do() -> None:
    with pytest.raises(NotFoundError, match="train anew"):
        health(manifest(), "h", live(np.zeros((0, 1)), np.zeros(0)), LIMITS)
