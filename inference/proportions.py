"""Proportions of weighted rows that come in clusters, with their 95 % intervals.

The payments of one card are alike, and some rows stand for many: an effective number of independent
rows takes both into account (Korn and Graubard 1998, "Confidence intervals for proportions with
small expected number of positive counts estimated from survey data").
"""

from typing import Any

import msgspec
import numpy as np

_Z = 1.959964  # of the normal distribution, for 95 %


class Proportion(msgspec.Struct, frozen=True):
    """`share` in [0, 1], between `low` and `high` with 95 %. So many independent `rows` of equal
    weight would say as much."""

    share: float
    low: float
    high: float
    rows: float


def proportion(hits: Any, weights: Any = None, clusters: Any = None) -> Proportion | None:
    """Weighted share of `hits` [n] (bool); None where nothing has a weight.

    Rows with an equal number in `clusters` [n] belong together; without it each stands alone.
    """
    weight = np.ones(len(hits)) if weights is None else np.asarray(weights, np.float64)
    some = weight > 0
    weight, hit = weight[some], np.asarray(hits, np.float64)[some]
    if not len(weight):
        return None
    share = float(np.average(hit, weights=weight))
    rows = kish(weight)
    if clusters is not None:
        rows = min(rows, _independent(hit, weight, np.asarray(clusters)[some], share))
    return Proportion(share, *wilson(share, rows), rows)


def kish(weights: Any) -> float:
    """How many rows of equal weight say as much as these (Kish 1965)."""
    return float(weights.sum() ** 2 / (weights**2).sum())


def wilson(share: float, rows: float) -> tuple[float, float]:
    """95 % interval of Wilson (1927). SciPy's takes whole numbers of rows alone."""
    centre = (share + _Z**2 / (2 * rows)) / (1 + _Z**2 / rows)
    spread = _Z * np.sqrt(share * (1 - share) / rows + _Z**2 / (4 * rows**2)) / (1 + _Z**2 / rows)
    return float(max(centre - spread, 0.0)), float(min(centre + spread, 1.0))


def _independent(hit: Any, weight: Any, clusters: Any, share: float) -> float:
    """Rows that have the variance of a ratio estimator over clusters (Taylor linearisation)."""
    place = np.unique(clusters, return_inverse=True)[1]
    most = kish(np.bincount(place, weight))
    if share in (0.0, 1.0) or not place.any():
        # Nothing varies that could be measured: each cluster counts once.
        return most
    off = np.bincount(place, weight * (hit - share))
    variance = (off**2).sum() / weight.sum() ** 2
    # Rounding leaves a little where all clusters are alike.
    return float(share * (1 - share) / max(variance, 1e-12))
