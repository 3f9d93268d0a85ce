"""Scoring in parts, so that how far it is can be shown."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from domain.features import FeatureSet
from operations.backtest.policies.past import Floats, ScoreVectors
from operations.progress import Count

_AT_ONCE = 50_000


def counted(score: ScoreVectors, count: Count) -> ScoreVectors:
    """The same scores. Many are scored at once where they are in every part."""

    def scored(model_hash: str, features: FeatureSet, values: Floats) -> tuple[Floats, bool]:
        parts = max(1, len(values) // _AT_ONCE)
        edges = np.linspace(0, len(values), parts + 1, dtype=np.int64).tolist()
        scores, together = np.empty(len(values)), True
        for begin, end in pairwise(edges):
            count(begin, len(values))
            scores[begin:end], many = score(model_hash, features, values[begin:end])
            together &= many
        return scores, together

    return scored
