"""Thresholds turn scores into outcomes in order of severity."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidInputError
from domain.events import Thresholds
from domain.policy.thresholds import (
    DEFAULT_THRESHOLDS,
    FALLBACK_THRESHOLDS,
    outcome,
    severity,
    validated,
)

scores = st.floats(0, 1)
ordered_thresholds = st.lists(scores, min_size=3, max_size=3).map(
    lambda three: Thresholds(review=min(three), step_up=sorted(three)[1], decline=max(three))
)


@given(scores, scores, ordered_thresholds)
def test_a_higher_score_has_no_milder_outcome(a: float, b: float, thresholds: Thresholds) -> None:
    low, high = sorted((a, b))
    assert severity(outcome(low, thresholds)) <= severity(outcome(high, thresholds))


@given(ordered_thresholds)
def test_a_score_at_a_threshold_reaches_it(thresholds: Thresholds) -> None:
    assert outcome(thresholds.decline, thresholds) == "decline"
    assert severity(outcome(thresholds.step_up, thresholds)) >= severity("step_up")
    assert severity(outcome(thresholds.review, thresholds)) >= severity("review")


def test_each_outcome_has_its_band() -> None:
    thresholds = Thresholds(review=0.2, step_up=0.4, decline=0.6)
    assert [outcome(s, thresholds) for s in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 1.0)] == [
        "approve", "review", "review", "step_up", "step_up", "decline", "decline",
    ]  # fmt: skip


@given(ordered_thresholds)
def test_ordered_thresholds_are_valid(thresholds: Thresholds) -> None:
    assert validated(thresholds) is thresholds


@given(st.lists(scores, min_size=3, max_size=3).filter(lambda three: three != sorted(three)))
def test_thresholds_out_of_order_are_refused(three: list[float]) -> None:
    with pytest.raises(InvalidInputError, match=r"thresholds\.(step_up|decline)"):
        validated(Thresholds(review=three[0], step_up=three[1], decline=three[2]))


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_a_threshold_that_is_no_score_is_refused_by_name(value: float) -> None:
    with pytest.raises(InvalidInputError) as refused:
        validated(Thresholds(review=value, step_up=1.0, decline=1.0))
    assert refused.value.field == "thresholds.review"


def test_the_default_thresholds_are_valid() -> None:
    validated(DEFAULT_THRESHOLDS)
    validated(FALLBACK_THRESHOLDS)
