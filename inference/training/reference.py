"""Reference of a model, computed from its training data."""

from typing import Any

import numpy as np

from domain.events import Thresholds
from inference.artefacts.reference import (
    SCORE_DIGITS,
    Bins,
    CalibrationBin,
    Reference,
    counted,
    places,
)
from inference.evaluation.catches import catches_of
from inference.frame.frame import Floats, Frame
from inference.proportions import kish

_DECILES = tuple(i / 10 for i in range(1, 10))
# Nearly all scores are small: what is declined and reviewed lies in the last two percent.
_SCORE_SHARES = (*_DECILES, 0.95, 0.99, 0.995, 0.999)
_QUANTILES = np.linspace(0.0, 1.0, 257)
_MOST_ROWS = 100_000
_SHARE_DIGITS = 7
_TINY = np.float32(1e-30)


def reference_of(
    recent: Frame, served: Floats, later: Frame, unseen: Floats, thresholds: Thresholds
) -> Reference:
    """What traffic looked like in `recent`, the last whole weeks of the training data.

    Not in all of it: where a history begins, windows are empty, and live traffic always differs
    from that. `served` [recent] are the scores of the model that is kept, `unseen`
    [later] those of the fit before, which had not learnt from the rows of `later`.
    """
    rows = _evenly(len(recent))
    weights = recent.stands_for[rows]
    features = [_bins(column[rows], weights, _DECILES) for column in recent.vectors.T]
    kept = np.round(served, SCORE_DIGITS)
    scores = _bins(kept[rows], weights, _SCORE_SHARES)
    return Reference(
        rows=kish(weights),
        features=features,
        scores=scores,
        score_quantiles=_short(_quantiles(kept[rows], weights, _QUANTILES)),
        fraud_share=recent.prevalence,
        calibration=_calibration(later, unseen, scores.edges),
        catches=catches_of(later, unseen, thresholds),
    )


def _evenly(rows: int) -> Any:
    return np.linspace(0, rows - 1, min(rows, _MOST_ROWS)).astype(np.int64)


def _bins(values: Any, weights: Floats, shares: tuple[float, ...]) -> Bins:
    edges = _edges(np.asarray(values, dtype=np.float32), weights, shares)
    mass = counted(edges, values, weights)
    return Bins(edges, [round(float(share), _SHARE_DIGITS) for share in mass / mass.sum()])


def _edges(values: Any, weights: Floats, shares: tuple[float, ...]) -> list[float]:
    """Quantiles and the greatest value; one that holds a tenth of all gets a bin of its own."""
    known = ~np.isnan(values)
    values, weights = values[known], weights[known]
    if not len(values):
        return []
    cuts = np.unique(_quantiles(values, weights, np.array(shares)))
    heavy = [cut for cut in cuts if weights[values == cut].sum() >= weights.sum() / 10]
    below = np.nextafter(np.array(heavy, np.float32), np.float32(-np.inf))
    # Beside zero that is a number which some threads take for zero.
    below = np.minimum(below, np.array(heavy, np.float32) - _TINY)
    return _short(np.unique(np.concatenate([cuts, below, [values.max()]]).astype(np.float32)))


def _quantiles(values: Any, weights: Floats, shares: Floats) -> Any:
    return np.quantile(values, shares, weights=weights, method="inverted_cdf")


def _calibration(later: Frame, scores: Floats, edges: list[float]) -> list[CalibrationBin]:
    """Of the labelled rows, the confirmed genuine ones for all that are not fraud."""
    weights = later.row_weights()
    place = places(edges, np.round(scores, SCORE_DIGITS))
    found = []
    for number in range(len(edges) + 1):
        weight = np.where(place == number, weights, 0.0)
        total = weight.sum()
        if total:
            fraud = weight[later.labels == 1].sum()
            mean = (weight * scores).sum() / total
            shares = (mean, fraud / total, total / weights.sum())
            found.append(CalibrationBin(*(round(float(x), _SHARE_DIGITS) for x in shares)))
    return found


def _short(values: Any) -> list[float]:
    """The fewest digits that read back as the same float32."""
    return [float(str(value)) for value in np.asarray(values, dtype=np.float32)]
