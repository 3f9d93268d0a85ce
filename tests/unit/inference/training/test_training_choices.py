"""Splits, thresholds and calibration of a training."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidInputError
from domain.times import DAY
from inference.frame.frame import WEEK, last_whole_weeks, split_by_time
from inference.training.calibration import platt
from inference.training.thresholds import Budget, thresholds_for
from tests.builders.training_frames import synthetic

shares = st.floats(0, 0.3)


@given(
    st.lists(st.floats(0, 1, width=16), min_size=1, max_size=300),
    st.builds(Budget, decline=shares, step_up=shares, review=shares),
)
def test_thresholds_never_ask_for_more_than_the_budget(scores: list[float], budget: Budget) -> None:
    ranked = np.array(scores)
    chosen = thresholds_for(ranked, np.ones(len(ranked)), budget)
    for threshold, share in (
        (chosen.decline, budget.decline),
        (chosen.step_up, budget.decline + budget.step_up),
        (chosen.review, budget.decline + budget.step_up + budget.review),
    ):
        reached = int((ranked >= threshold).sum())
        assert reached <= share * len(ranked) + 1e-6 or threshold == 1.0


def test_thresholds_use_the_budget_where_scores_differ() -> None:
    chosen = thresholds_for(np.arange(1000) / 1000, np.ones(1000), Budget(0.01, 0.02, 0.03))
    assert (chosen.decline, chosen.step_up, chosen.review) == (0.9895, 0.9695, 0.9395)


def test_a_budget_of_more_than_everything_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="budget"):
        Budget(decline=0.5, step_up=0.3, review=0.3)


def test_validation_is_later_than_all_that_fits() -> None:
    earlier, later = split_by_time(synthetic())
    assert earlier.times.max() < later.times.min()
    assert len(earlier) + len(later) == 6000
    assert min(later.frauds, later.genuine) >= 20


def test_too_few_labels_are_refused_with_their_number() -> None:
    frame = synthetic(600)
    with pytest.raises(InvalidInputError, match=r"labelled fraud.*needs at least 40"):
        split_by_time(frame)


def test_labels_apart_in_time_are_refused() -> None:
    frame = synthetic()
    order = np.argsort(frame.labels, kind="stable")
    apart = type(frame)(
        frame.vectors[order], frame.labels[order], frame.times, frame.stands_for, frame.names,
        frame.feature_set, frame.as_known_at,
    )  # fmt: skip
    with pytest.raises(InvalidInputError, match="too far apart"):
        split_by_time(apart)


def test_confirmed_genuine_rows_stand_for_all_that_are_not_fraud() -> None:
    frame = synthetic(labelled=0.02)
    weights = frame.row_weights()
    # The latest label is not that of the latest row.
    assert weights.sum() == pytest.approx(len(frame), rel=0.01)
    assert weights[frame.labels == 1].sum() == frame.frauds
    assert not weights[np.isnan(frame.labels)].any()


delays = st.integers(0, 30)
coverage = st.floats(0.1, 1.0)


@given(delays, coverage, st.integers(0, 2**32 - 1))
def test_young_payments_do_not_change_prevalence(delay: int, labelled: float, seed: int) -> None:
    frame = synthetic(seed=seed, labelled=labelled)
    young = frame.times > frame.as_known_at - delay * DAY
    known = replace(frame, labels=np.where(young, np.nan, frame.labels))
    assert known.ripe.stop <= (~young).sum()
    assert known.prevalence == pytest.approx(known.frauds / (~young).sum(), rel=0.15)
    weights = known.row_weights()
    share = weights[known.labels == 1].sum() / weights.sum()
    assert share == pytest.approx(known.prevalence)
    assert not weights[young].any()


def test_labels_that_trickle_in_leave_the_share_of_fraud_nearly_as_it_is() -> None:
    frame = synthetic(rows=60_000)
    wait = np.random.default_rng(3).exponential(5 * DAY, len(frame))
    came = frame.times + wait <= frame.as_known_at
    known = replace(frame, labels=np.where(came, frame.labels, np.nan))
    assert known.frauds / len(known) < 0.93 * frame.prevalence
    assert known.prevalence == pytest.approx(frame.prevalence, rel=0.04)


def test_a_span_without_any_label_is_neither_genuine_nor_a_reason_to_lower_the_share() -> None:
    frame = synthetic(rows=60_000, labelled=0.2)
    month = (frame.times >= 10 * DAY) & (frame.times < 40 * DAY)
    known = replace(frame, labels=np.where(month, np.nan, frame.labels))
    others = frame.take(~month)
    # The labels at both sides of the span are minutes away from it.
    assert known.looked_at.sum() == pytest.approx((~month).sum(), abs=60)
    assert known.prevalence == pytest.approx(others.prevalence, rel=0.01)
    assert known.row_weights()[~month] == pytest.approx(others.row_weights(), rel=0.01)


@pytest.mark.parametrize(("rows", "days"), [(1_500, 8), (60_000, 6)])
def test_a_few_days_or_few_labels_that_are_missing_are_no_such_span(rows: int, days: int) -> None:
    frame = synthetic(rows=rows, labelled=0.02)
    missing = (frame.times >= 20 * DAY) & (frame.times < (20 + days) * DAY)
    known = replace(frame, labels=np.where(missing, np.nan, frame.labels))
    assert known.looked_at[known.ripe].all()


def test_where_the_old_rows_lack_a_kind_of_label_all_rows_count() -> None:
    frame = synthetic()
    labels = np.full(len(frame), np.nan)
    labels[:3000], labels[5000::10] = 0.0, 1.0
    assert replace(frame, labels=labels).ripe == slice(None)
    labels[7] = 1.0
    assert replace(frame, labels=labels).ripe == slice(0, 3000)
    assert replace(frame, labels=np.full(len(frame), np.nan)).ripe == slice(None)


@pytest.mark.parametrize(("least", "weeks"), [(0, 1), (WEEK, 1), (WEEK + 1, 2), (100 * WEEK, 100)])
def test_the_last_weeks_are_whole(least: int, weeks: int) -> None:
    frame = synthetic()
    last = last_whole_weeks(frame, least)
    end = frame.times.max()
    assert last.times.tolist() == frame.times[frame.times > end - weeks * WEEK].tolist()


def test_calibration_gives_the_share_of_fraud_that_traffic_has() -> None:
    random = np.random.default_rng(1)
    logits = random.normal(size=20_000)
    labels = (random.random(20_000) < 1 / (1 + np.exp(-(2 * logits - 3)))).astype(float)
    slope, intercept = platt(logits, labels, np.ones(20_000))
    assert slope == pytest.approx(2, abs=0.15)
    assert intercept == pytest.approx(-3, abs=0.15)


@given(st.integers(0, 2**32 - 1), st.floats(0.1, 200))
def test_calibration_keeps_the_ranking_and_stays_finite(seed: int, spread: float) -> None:
    random = np.random.default_rng(seed)
    labels = np.array([0.0, 1.0] * 20)
    logits = (labels - 0.5) * spread * random.choice([-1, 1]) + random.normal(size=40)
    slope, intercept = platt(logits, labels, np.where(labels == 1, 1.0, 50.0))
    assert slope > 0
    assert np.isfinite([slope, intercept]).all()


def test_a_sampled_row_counts_for_all_that_it_stands_for() -> None:
    sampled = thresholds_for(
        np.array([0.9, 0.5, 0.1]), np.array([1.0, 9.0, 90.0]), Budget(0.01, 0.0, 0.09)
    )
    assert (sampled.decline, sampled.step_up, sampled.review) == (0.7, 0.7, 0.3)
