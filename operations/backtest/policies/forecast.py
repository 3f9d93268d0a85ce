"""Forecast: what a policy's figures will be over a following period of the same length.

An interval of an estimate tells how far chance may have taken it from what holds on average. What
comes next has chance of its own: the variance of a forecast is twice that of the estimate.

Payments of one card are alike, so are those of one merchant, and those of one day: an attack meets
many cards at once. The variance of a figure is that of independent payments, and what each of these
groupings adds to it (variances of several clusterings add up as in Cameron, Gelbach and Miller
2011, "Robust inference with multiway clustering"; here without negative parts). Ratios are
linearised.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.features.payments import UNLABELLED
from domain.policy.thresholds import SEVERITY
from domain.times import DAY
from operations.backtest.policies.deciding import Decisions
from operations.backtest.policies.figures import groups_of
from operations.backtest.policies.past import Past
from operations.backtest.policies.silenced import told

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEVEL = 0.95
_REACH = NormalDist().inv_cdf((1 + LEVEL) / 2)
_DECLINE = SEVERITY.index("decline")


@dataclass(frozen=True, slots=True)
class Groupings:
    """Of each transaction the number of its card, its merchant and its day."""

    cards: Ints
    merchants: Ints
    days: Ints


def groupings(past: Past) -> Groupings:
    """What names no merchant stands by itself."""
    codes = past.transactions.texts["merchant_id"].codes
    nobody = codes < 0
    merchants = np.where(nobody, codes.max(initial=0) + np.cumsum(nobody), codes)
    days = past.made.times // DAY
    return Groupings(groups_of(past), merchants, days - days.min())


def forecast(past: Past, made: Decisions, of: Groupings) -> dict[str, dict[str, Any]]:
    """By figure its `value` now, and the interval for the next time: `by_card` alone, as if weeks
    were alike, and the `interval` that holds.

    Money in minor units; alerts by day. None for a ratio of nothing.
    """
    found: dict[str, dict[str, Any]] = {}
    for name, (value, terms, most) in _figures(past, made, int(of.days.max()) + 1).items():
        if terms is None:
            found[name] = {"value": None, "by_card": None, "interval": None}
            continue
        own = _squares(terms)
        by_card = max(own, _squares(terms, of.cards))
        more = max(_squares(terms, of.merchants) - own, 0.0)
        # Days are given: only what parts one from another is chance.
        more += max(_between(terms, of.days) - own, 0.0)
        found[name] = {
            "value": value,
            "by_card": _interval(value, by_card, most),
            "interval": _interval(value, by_card + more, most),
        }
    return found


def _figures(
    past: Past, made: Decisions, days: int
) -> dict[str, tuple[float, Floats | None, float]]:
    """By name value, what each payment adds to it, [transactions], and the most that it can be."""
    labels, amounts = past.made.labels, past.made.payments.amounts.astype(np.float64)
    fraud, genuine, labelled = labels == 1, labels == 0, labels != UNLABELLED
    flagged, declined = made.outcomes > 0, made.outcomes == _DECLINE
    sums = {
        "missed_fraud": amounts * (fraud & ~flagged),
        "genuine_declined_money": amounts * (genuine & declined),
        "alerts_per_day": told(past, made) / days,
    }
    caught = (fraud & flagged).astype(np.float64)
    ratios = {"precision": labelled & flagged, "recall": fraud}
    found: dict[str, tuple[float, Floats | None, float]] = {
        name: (float(terms.sum()), terms, np.inf) for name, terms in sums.items()
    }
    for name, whole in ratios.items():
        below = float(whole.sum())
        value = float(caught.sum()) / below if below else 0.0
        found[name] = (value, (caught - value * whole) / below if below else None, 1.0)
    return found


def _squares(terms: Floats, groups: Ints | None = None) -> float:
    """Of the sums of groups; of each by itself where there are none."""
    sums = terms if groups is None else np.bincount(groups, weights=terms)
    # Not as a product of vectors, whose bits hang on the number of threads.
    return float(np.square(sums).sum())


def _between(terms: Floats, days: Ints) -> float:
    sums = np.bincount(days, weights=terms)
    return float(np.var(sums, ddof=1)) * len(sums) if len(sums) > 1 else 0.0


def _interval(value: float, variance: float, most: float) -> list[float]:
    reach = _REACH * sqrt(2 * variance)
    return [max(value - reach, 0.0), min(value + reach, most)]
