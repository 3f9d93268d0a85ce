"""Boosted trees: each corrects the sum of those before it, on all frauds and many genuine rows.

Friedman 2001, Greedy Function Approximation: A Gradient Boosting Machine. Averaged trees give most
payments one of few scores; boosted ones tell these apart. How much they count is for
inference/training/counting.py.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from inference.frame.frame import Floats, Frame, Ints
from inference.serving.forest.forest import Forest, joined
from inference.training.fitting.trees import FitSettings, arranged, learnt_from

_RATE = 0.08
_LEAVES, _LEAST_IN_LEAF = 31, 200
_PART_OF_FEATURES = 0.2  # that a split looks at
_RIDGE = 1.0


def boosted(frame: Frame, chosen: FitSettings, seed: int) -> Forest:
    """A forest of the boosted trees alone, which follows from the labelled rows and `seed`."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    random = np.random.default_rng([seed, chosen.trees])
    rows = np.concatenate([_drawn(frame, kind, chosen.boosted_rows, random) for kind in (1, 0)])
    vectors = learnt_from(frame.vectors, rows)
    vectors[:, np.isnan(vectors).all(axis=0)] = 0  # the same for all, it parts nothing
    model = HistGradientBoostingClassifier(
        learning_rate=_RATE,
        max_iter=chosen.boosted,
        max_leaf_nodes=_LEAVES,
        max_depth=chosen.depth,
        min_samples_leaf=_LEAST_IN_LEAF,
        l2_regularization=_RIDGE,
        max_features=_PART_OF_FEATURES,
        early_stopping=False,
        random_state=int(random.integers(2**31)),
    )
    model.fit(vectors, frame.labels[rows], sample_weight=_weights(frame, rows))
    return added_by(model)


def added_by(model: Any) -> Forest:
    """The trees of a fitted HistGradientBoostingClassifier, without its constant."""
    # They have no public name; a test compares them with what the model itself says.
    return joined([_flattened(tree.nodes) for (tree,) in model._predictors])


def _flattened(nodes: Any) -> Forest:
    leaf = nodes["is_leaf"].astype(bool)
    made = arranged(
        np.where(leaf, -1, nodes["left"].astype(np.int64)),
        nodes["right"].astype(np.int64),
        nodes["feature_idx"].astype(np.int64),
        nodes["num_threshold"],
        nodes["missing_go_to_left"].astype(bool),
        nodes["value"],
    )
    return replace(made, boosted=1)


def _drawn(frame: Frame, kind: int, most: int, random: np.random.Generator) -> Ints:
    rows = np.flatnonzero(frame.labels == kind)
    return rows if len(rows) <= most else random.choice(rows, most, replace=False)


def _weights(frame: Frame, rows: Ints) -> Floats:
    """What each row stands for, the rows of a kind weighing one on average."""
    weights = frame.stands_for[rows].astype(np.float64)
    for kind in (0, 1):
        own = frame.labels[rows] == kind
        weights[own] /= weights[own].mean()
    return weights
