"""Knots of the piecewise linear encoding, from quantiles of the training data."""

from typing import Any

import numpy as np

from inference.frame.frame import Floats, Vectors
from inference.serving.graph import as_rows

_TAILS = (0.001, 0.005, 0.01, 0.99, 0.995, 0.999)
_ENOUGH = 100_000  # rows, for quantiles


def knots_for(vectors: Vectors, labels: Floats, bins: int) -> list[list[float]]:
    """Per feature `bins` + 1 ascending float32 numbers: quantiles of all rows and of the frauds.

    Fewer distinct ones are filled up with the last, which makes bins of no effect.
    """
    every = as_rows(vectors[:: max(1, len(vectors) // _ENOUGH)])
    frauds = as_rows(vectors[labels == 1])
    return [_knots(every[:, i], frauds[:, i], bins) for i in range(vectors.shape[1])]


def _knots(column: Any, of_frauds: Any, bins: int) -> list[float]:
    probabilities = np.array(sorted({*np.linspace(0, 1, bins + 1), *_TAILS}))
    chosen = [
        np.quantile(known, probabilities, method="nearest")
        for known in (part[~np.isnan(part)] for part in (column, of_frauds))
        if len(known)
    ]
    if not chosen:
        return [0.0] * (bins + 1)
    distinct = np.unique(np.concatenate(chosen))
    if len(distinct) > bins + 1:
        distinct = distinct[np.linspace(0, len(distinct) - 1, bins + 1).round().astype(int)]
    filled = np.full(bins + 1, distinct[-1])
    filled[: len(distinct)] = distinct
    return [float(knot) for knot in filled]
