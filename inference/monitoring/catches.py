"""Live precision and recall of what a model refers, against what its card expects of them.

Referred is what is reviewed or stepped up. A declined payment is censored, and no part of this.
Labels count as they are known now, so that a model is found out as soon as labels say so.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import betabinom

from inference.artefacts.reference import Catches
from inference.monitoring.limits import LEVELS, Level, Limits
from inference.proportions import Proportion, proportion

SPANS = (1, 2, 4, 8, 16, 32, 56)
"""Latest days of decisions that are looked at: the short ones find a model that has just turned
bad, the long ones a small loss."""
_MOST_OPEN = 0.5


@dataclass(frozen=True, slots=True)
class LivePayments:
    """Payments that a model did not decline, those that it referred and those known as fraud.

    `ages` [n] in whole days, `holders` [n] tell cards or customers apart, `referred` [n] bool,
    `labels` [n] as known now: 1 fraud, 0 genuine, NaN for none.
    """

    ages: Any
    holders: Any
    referred: Any
    labels: Any


@dataclass(frozen=True, slots=True)
class Comparison:
    """The decisions of the latest `days`: of `payments`, `live` was found and `expected` was not.

    `open` of them have no label yet and count as found. `ratio` is that of the odds, expected over
    live, and above 1 where live is worse; `p_value` the chance of as few, nothing having changed.
    """

    expected: Proportion
    live: Proportion
    days: int
    payments: int
    open: int
    ratio: float
    p_value: float
    level: Level


def recall(catches: Catches | None, live: LivePayments, limits: Limits) -> Comparison | None:
    """Share of the known frauds that was referred.

    None below `least_frauds` of them, and for a model made before there were `catches`.
    """
    fraud = live.labels == 1
    hits = live.referred[fraud]
    rows = _Rows(live.ages[fraud], live.holders[fraud], hits, np.zeros(len(hits), bool))
    return _compared(catches.referred.recall if catches else None, rows, limits, _all)


def precision(
    catches: Catches | None, live: LivePayments, days: int, limits: Limits
) -> Comparison | None:
    """Share of what was referred that is fraud, at most; None where there is too little, as above.

    A payment without a label counts as genuine once it is `days` old, and as fraud until then: the
    upper bound of C. Manski (1989), so that labels yet to come never lower it. Days on which most
    are without say little, and are left out. `least_frauds` are to be expected, or found.
    """
    still_open = live.referred & np.isnan(live.labels) & (live.ages < days)
    settled = np.bincount(live.ages, still_open) <= _MOST_OPEN * np.bincount(
        live.ages, live.referred
    )
    chosen = live.referred & settled[live.ages]
    hits = (live.labels == 1) | still_open
    rows = _Rows(live.ages[chosen], live.holders[chosen], hits[chosen], still_open[chosen])
    expected = catches.referred.precision if catches else None
    return _compared(expected, rows, limits, _expected_or_found)


@dataclass(frozen=True, slots=True)
class _Rows:
    """[n] each: of which `hits` are found, and `open` of these without a label."""

    ages: Any
    holders: Any
    hits: Any
    open: Any

    def latest(self, days: int) -> "_Rows":
        chosen = self.ages < days
        return _Rows(*(each[chosen] for each in (self.ages, self.holders, self.hits, self.open)))


def _all(_expected: Proportion, rows: _Rows) -> float:
    return len(rows.hits)


def _expected_or_found(expected: Proportion, rows: _Rows) -> float:
    return max(expected.share * len(rows.hits), float(rows.hits.sum()))


def _compared(
    expected: Proportion | None,
    rows: _Rows,
    limits: Limits,
    frauds: Callable[[Proportion, _Rows], float],
) -> Comparison | None:
    """Of the span that is worst, or else of the longest; chance is shared out over all spans."""
    if expected is None:
        return None
    spans: dict[int, tuple[int, _Rows]] = {}
    for days in SPANS:
        part = rows.latest(days)
        if frauds(expected, part) >= limits.least_frauds:
            # A longer span without more payments is the same test.
            spans.setdefault(len(part.hits), (days, part))
    found = [_comparison(expected, *span, len(spans), limits) for span in spans.values()]
    over = [each for each in found if each.level in ("warn", "alert")]
    if over:
        return max(over, key=lambda each: (LEVELS.index(each.level), -each.p_value))
    return found[-1] if found else None


def _comparison(
    expected: Proportion, days: int, rows: _Rows, spans: int, limits: Limits
) -> Comparison:
    """By the beta-binomial distribution: of live payments, given those that the card counted.

    Its prior is Jeffreys', and so are the odds, which are finite where nothing was found.
    """
    live = proportion(rows.hits, clusters=rows.holders)
    assert live is not None
    number = max(round(live.rows), 1)
    hits = min(math.ceil(live.share * number - 1e-9), number)
    before = expected.share * expected.rows + 0.5, (1 - expected.share) * expected.rows + 0.5
    ratio = before[0] / before[1] / ((hits + 0.5) / (number - hits + 0.5))
    p_value = min(float(betabinom.cdf(hits, number, *before)) * spans, 1.0)
    return Comparison(
        expected,
        live,
        days,
        len(rows.hits),
        int(rows.open.sum()),
        ratio,
        p_value,
        limits.of_ratio(max(ratio, 1.0), p_value),
    )
