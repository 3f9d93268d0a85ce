"""Drift of features and scores between a model's reference and live values."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import ks_2samp, wasserstein_distance

from inference.artefacts.reference import SCORE_DIGITS, Bins, Reference, counted
from inference.monitoring.divergence import Divergence, divergence
from inference.monitoring.limits import Level, Limits


@dataclass(frozen=True, slots=True)
class FeatureDrift:
    """`unknown` is the share of values that are unknown, (when trained, live)."""

    feature: str
    divergence: Divergence
    unknown: tuple[float, float]
    level: Level


@dataclass(frozen=True, slots=True)
class ScoreDrift:
    """`ks` is the greatest difference of the two distribution functions (Kolmogorov-Smirnov),
    `wasserstein` the mean distance by which scores would have to move; `mean` is of the live ones.
    """

    divergence: Divergence
    ks: float
    wasserstein: float
    mean: float
    level: Level


def feature_drifts(
    reference: Reference, names: Sequence[str], vectors: Any, limits: Limits
) -> list[FeatureDrift]:
    """The greatest first. `vectors` [n > 0, d] in the order of `names`, NaN for unknown."""
    found = [
        _drift(name, bins, column, reference.rows, limits, len(names))
        for name, bins, column in zip(names, reference.features, vectors.T, strict=True)
    ]
    return sorted(found, key=lambda each: -each.divergence.psi)


def _drift(
    name: str, bins: Bins, column: Any, rows: float, limits: Limits, tests: int
) -> FeatureDrift:
    unknown = (bins.unknown, float(np.isnan(column).mean()))
    found = divergence(_before(bins, rows), counted(bins.edges, column))
    return FeatureDrift(name, found, unknown, limits.of_psi(found.psi, found.p_value, tests))


def score_drift(reference: Reference, scores: Any, limits: Limits) -> ScoreDrift:
    """Of scores [n > 0]."""
    live = np.round(scores, SCORE_DIGITS)
    found = divergence(
        _before(reference.scores, reference.rows), counted(reference.scores.edges, live)
    )
    before = reference.score_quantiles
    return ScoreDrift(
        found,
        float(ks_2samp(before, live, method="asymp").statistic),
        float(wasserstein_distance(before, live)),
        float(np.mean(scores)),
        limits.of_psi(found.psi, found.p_value),
    )


def _before(bins: Bins, rows: float) -> Any:
    return np.asarray(bins.shares) * rows
