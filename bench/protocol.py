"""Metrics of a test week, by the protocol of the Fraud Detection Handbook.

Le Borgne, Siblini, Lebichot and Bontempi, "Reproducible Machine Learning for Credit Card Fraud
Detection - Practical Handbook", 2022: chapter 3 (get_train_test_set: a card that is known to be
compromised, labels being a week late, is taken out of the test days), chapter 4 (performance
metrics: AUC ROC, average precision, card precision top-k).
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from domain.times import DAY
from inference.evaluation.metrics import auc, average_precision, card_precision
from inference.frame.frame import Floats, Ints

Figures = dict[str, float | None]

TRAINING_DAYS, DELAY_DAYS, TEST_DAYS = 7, 7, 7
TOP_CARDS = 100
WAYS = WITHOUT_KNOWN_CARDS, ALL_CARDS = "without_known_cards", "all_cards"


def of_unknown_cards(
    days: Ints, cards: Ints, fraud: NDArray[np.bool_], first: int
) -> NDArray[np.bool_]:
    """Rows of the TEST_DAYS from day `first` on, without cards that are known as compromised.

    On test day d these are the cards with a fraud from the first of the training days to d - 8, or
    to the last training day where that is later. [n] each; days are whole, of any beginning.
    """
    start = first - TRAINING_DAYS - DELAY_DAYS
    kept = np.zeros(len(days), dtype=bool)
    for day in range(first, first + TEST_DAYS):
        known_until = max(day - DELAY_DAYS - 1, start + TRAINING_DAYS - 1)
        known = np.unique(cards[fraud & (days >= start) & (days <= known_until) & (cards != 0)])
        kept |= (days == day) & ~np.isin(cards, known)
    return kept


def metrics_of(labels: Floats, scores: Floats, cards: Ints, times: Ints) -> Figures:
    """None where a kind of label is missing, or no card is named."""
    if not 0 < labels.sum() < len(labels):
        return dict.fromkeys(("auc", "average_precision", "card_precision_100"))
    of_cards = card_precision(labels, scores, cards, times, TOP_CARDS)
    return {
        "auc": round(auc(labels, scores), 5),
        "average_precision": round(average_precision(labels, scores), 5),
        "card_precision_100": None if math.isnan(of_cards) else round(of_cards, 5),
    }


def both_ways(
    labels: Floats, scores: Floats, cards: Ints, times: Ints, unknown: NDArray[np.bool_]
) -> dict[str, Figures]:
    """With the Handbook's filter and without it; `times` in microseconds."""
    return {
        WITHOUT_KNOWN_CARDS: metrics_of(
            labels[unknown], scores[unknown], cards[unknown], times[unknown]
        ),
        ALL_CARDS: metrics_of(labels, scores, cards, times),
    }


def day_of(times: Ints) -> Ints:
    return times // DAY


def mean_of(found: Sequence[Figures]) -> Figures:
    """Over the weeks that tell anything."""
    known = {name: [each[name] for each in found if each[name] is not None] for name in found[0]}
    return {name: round(float(np.mean(some)), 5) if some else None for name, some in known.items()}  # type: ignore[arg-type]
