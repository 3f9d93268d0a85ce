"""Reference: histograms of a model's training data, against which live traffic is monitored.

inference.training.reference makes it; inference.monitoring compares live traffic with it.
"""

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from inference.proportions import Proportion

Floats = npt.NDArray[np.float64]

SCORE_DIGITS = 7
"""The kernel that serves and the one that trains may differ in the last bits of a score."""


class Bins(msgspec.Struct, frozen=True):
    """Bin i holds edges[i-1] < x <= edges[i]; then what exceeds all edges; last what is unknown.

    `edges` ascend strictly; `shares` [len(edges) + 2] add up to 1.
    """

    edges: list[float]
    shares: list[float]

    @property
    def unknown(self) -> float:
        return self.shares[-1]


class CalibrationBin(msgspec.Struct, frozen=True):
    """Of the transactions of one bin of scores: mean score, share that was fraud, share of all."""

    expected: float
    observed: float
    share: float


class Catch(msgspec.Struct, frozen=True):
    """What an outcome does: it is given to `share_of_traffic`; of the payments at its threshold or
    above, `precision` is fraud, and they are `recall` of all fraud. None where there are none.
    """

    share_of_traffic: float
    precision: Proportion | None
    recall: Proportion | None


class Catches(msgspec.Struct, frozen=True):
    """By outcome, and of payments `referred`, that is reviewed or stepped up, among those that are
    not declined: what live labels can be compared with, for a declined payment seldom has one.
    """

    decline: Catch
    step_up: Catch
    review: Catch
    referred: Catch


class Reference(msgspec.Struct, frozen=True):
    """Traffic of the latest part of the training data, each row as often as it stands for.

    `rows` is how many equally weighted rows would say as much (Kish's effective sample size).
    `features` are in the order of the model's. `scores` and `score_quantiles` (evenly spaced, the
    least and the greatest included) are the model's; `calibration` is of the fit that had not seen
    these rows, by the bins of `scores`, and so are `catches` at the thresholds, None in a model
    made before there were any. `fraud_share` is of all traffic, as labelled then.
    """

    rows: float
    features: list[Bins]
    scores: Bins
    score_quantiles: list[float]
    fraud_share: float
    calibration: list[CalibrationBin]
    catches: Catches | None = None


def counted(edges: list[float], values: Any, weights: Floats | None = None) -> Floats:
    """[len(edges) + 2] number (or weight) of `values` per bin; NaN is unknown."""
    place = places(edges, values)
    return np.bincount(place, weights, minlength=len(edges) + 2).astype(np.float64)


def places(edges: list[float], values: Any) -> npt.NDArray[np.intp]:
    """The bin of each value."""
    # Models take float32, and so are the edges: a float64 beside its own edge would fall below it.
    narrow = np.asarray(values, dtype=np.float32)
    found = np.searchsorted(np.asarray(edges, dtype=np.float32), narrow, side="left")
    return np.where(np.isnan(narrow), len(edges) + 1, found)
