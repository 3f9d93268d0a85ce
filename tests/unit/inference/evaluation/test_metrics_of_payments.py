"""Metrics of payments agree with their definitions, written as loops."""

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidInputError
from domain.events import Thresholds
from domain.times import DAY
from inference.evaluation.costs import Costs, Money, money
from inference.evaluation.metrics import brier, card_precision, recall_within
from inference.frame.frame import Floats, Ints

THRESHOLDS = Thresholds(review=0.3, step_up=0.6, decline=0.8)
scores = st.sampled_from([0.0, 0.1, 0.3, 0.3000001, 0.6, 0.7, 0.8, 1.0]) | st.floats(0, 1)
rows = st.lists(
    st.tuples(
        st.integers(0, 1), scores, st.integers(1, 4), st.integers(0, 6), st.integers(0, 4 * DAY)
    ),
    min_size=2,
    max_size=60,
)
both = rows.filter(lambda found: {row[0] for row in found} == {0, 1})
Row = tuple[int, float, int, int, int]


def columns(found: list[Row]) -> tuple[Floats, Floats, Floats, Ints, Ints]:
    labels, scored, weights, cards, times = (np.array(each) for each in zip(*found, strict=True))
    return labels.astype(float), scored.astype(float), weights.astype(float), cards, times


@given(rows)
def test_the_brier_score_is_the_mean_squared_distance(found: list[Row]) -> None:
    labels, scored, weights, _, _ = columns(found)
    for weight in (None, weights):
        expected = np.average((scored - labels) ** 2, weights=weight)
        assert brier(labels, scored, weight) == pytest.approx(expected, abs=1e-12)


@given(rows, st.integers(1, 5))
def test_card_precision_is_that_of_a_list_written_every_day(found: list[Row], most: int) -> None:
    labels, scored, _, cards, times = columns(found)
    days: dict[int, list[Row]] = defaultdict(list)
    for row in found:
        if row[3] != 0:
            days[row[4] // DAY].append(row)
    caught: set[int] = set()
    shares = []
    for day in sorted(days):
        best: dict[int, float] = {}
        frauds = set()
        for label, score, _, card, _ in days[day]:
            best[card] = max(best.get(card, -1.0), score)
            if label:
                frauds.add(card)
        listed = sorted((card for card in best if card not in caught), key=lambda c: (-best[c], c))
        hit = frauds & set(listed[:most])
        caught |= hit
        shares.append(len(hit) / most)
    expected = sum(shares) / len(shares) if shares else float("nan")
    assert card_precision(labels, scored, cards, times, most) == pytest.approx(
        expected, nan_ok=True
    )


@given(both, st.sampled_from([0.05, 0.2, 0.5, 0.99, 1.0]))
def test_recall_within_a_budget_takes_the_greatest_scores(found: list[Row], budget: float) -> None:
    labels, scored, weights, _, _ = columns(found)
    taken = 0.0
    for threshold in sorted(set(scored.tolist()), reverse=True):
        reached = scored >= threshold
        if weights[reached].sum() > budget * weights.sum() + 1e-9:
            break
        taken = weights[reached & (labels == 1)].sum() / weights[labels == 1].sum()
    assert recall_within(labels, scored, weights, budget) == pytest.approx(taken)


@given(rows)
def test_money_is_the_sum_over_payments_of_what_each_costs(found: list[Row]) -> None:
    labels, scored, weights, cards, _ = columns(found)
    costs = Costs(review=3, step_up=1, declined_genuine=0.25, missed_fraud=0.5)
    amounts = cards * 100 + 7
    made = money(labels, scored, amounts, weights, THRESHOLDS, costs)
    without = spent = 0.0
    for (label, score, weight, _, _), amount in zip(found, amounts.tolist(), strict=True):
        without += weight * 0.5 * amount * label
        if score >= 0.8:
            spent += weight * 0.25 * amount * (1 - label)
        elif score >= 0.6:
            spent += weight
        elif score >= 0.3:
            spent += weight * 3
        else:
            spent += weight * 0.5 * amount * label
    assert made.saved == pytest.approx(without - spent)
    assert (made.saved_share is None) == (without == 0)


def test_a_perfect_model_saves_all_but_its_reviews() -> None:
    labels, amounts = np.array([1.0, 1.0, 0.0]), np.array([1000, 3000, 500])
    at = Thresholds(review=0.5, step_up=0.9, decline=0.95)
    made = money(labels, np.array([0.6, 1.0, 0.0]), amounts, np.ones(3), at, Costs())
    assert made == Money(4000.0, 0.0, 200.0, 0.0, 0.0)
    assert made.saved_share == pytest.approx(0.95)


def test_costs_are_not_negative() -> None:
    with pytest.raises(InvalidInputError, match="costs"):
        Costs(review=-1)
