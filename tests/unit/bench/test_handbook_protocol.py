"""The benchmark removes the known cards from a test day as the Handbook does."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bench.protocol import both_ways, of_unknown_cards
from domain.times import DAY

FIRST = 21  # trained on days 7 to 13, labels a week late, tested on days 21 to 27
payments = st.lists(
    st.tuples(st.integers(0, 30), st.integers(0, 4), st.booleans()), min_size=1, max_size=60
)


@given(payments)
def test_cards_are_known_a_week_after_their_fraud_and_from_the_training_days_on(
    found: list[tuple[int, int, bool]],
) -> None:
    days, cards, fraud = (np.array(each) for each in zip(*found, strict=True))
    expected = []
    for day, card, _ in found:
        # Day 20 has labels of day 12 and before; on day 21 those of day 13 are in, and so on.
        known = {c for d, c, f in found if c and f and 7 <= d <= max(13, day - 8)}
        expected.append(21 <= day <= 27 and card not in known)
    assert of_unknown_cards(days, cards, fraud, FIRST).tolist() == expected


def test_both_ways_differ_by_the_known_cards_alone() -> None:
    labels, scores = np.array([1.0, 0.0, 1.0, 0.0]), np.array([0.9, 0.8, 0.1, 0.2])
    cards, times = np.array([1, 2, 3, 4]), np.full(4, 21 * DAY)
    made = both_ways(labels, scores, cards, times, np.array([True, True, False, True]))
    assert made["without_known_cards"]["auc"] == 1.0
    assert made["all_cards"]["auc"] == 0.5
    assert made["all_cards"]["card_precision_100"] == 0.02


def test_without_cards_the_ranking_alone_is_measured() -> None:
    labels, scores = np.array([1.0, 0.0]), np.array([0.9, 0.8])
    every = np.array([True, True])
    made = both_ways(labels, scores, np.zeros(2, int), np.full(2, 21 * DAY), every)
    assert made["all_cards"] == {"auc": 1.0, "average_precision": 1.0, "card_precision_100": None}
