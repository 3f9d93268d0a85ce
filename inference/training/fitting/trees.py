"""Trees of a forest: each learns from rows of its own, and looks at some features at each split.

Breiman 2001, Random Forests. A tree draws frauds and genuine rows apart, so that every part of a
long history takes part in the forest while a tree stays quick to grow.
"""

from typing import Any

import numpy as np

from inference.frame.frame import Floats, Frame, Ints
from inference.serving.forest.forest import GREATEST, Forest
from inference.serving.graph import Matrix, as_rows

_LARGEST = np.float32(1e30)  # scikit-learn adds all values up


class Growing:
    """The labelled rows of a frame, and how a tree grows from them.

    `genuine` is how many genuine rows a tree takes at most, and as many times fewer of the frauds,
    but `least_frauds` where there are as many. `blanked` is the share of its rows that lose about
    half of their values.
    """

    def __init__(
        self, frame: Frame, genuine: int, least_frauds: int, blanked: float, depth: int, leaf: int
    ) -> None:
        self._vectors, self._labels = frame.vectors, frame.labels
        self._blanked, self._depth, self._leaf = blanked, depth, leaf
        self._features = min(frame.vectors.shape[1], round(2 * frame.vectors.shape[1] ** 0.5))
        frauds, others = (np.flatnonzero(frame.labels == kind) for kind in (1, 0))
        part = min(1.0, genuine / len(others))
        taken = min(len(frauds), max(round(len(frauds) * part), least_frauds))
        self._kinds = [
            (rows, _shares(frame.stands_for[rows]), number)
            for rows, number in ((frauds, taken), (others, min(genuine, len(others))))
        ]

    def tree(self, seed: int, number: int) -> Forest:
        """A forest of this tree alone, which follows from the rows, `seed` and `number`."""
        from sklearn.tree import DecisionTreeClassifier

        random = np.random.default_rng([seed, number])
        rows = np.concatenate([random.choice(of, size, p=p) for of, p, size in self._kinds])
        vectors = self._blanked_some(rows, random)
        grown = DecisionTreeClassifier(
            max_depth=self._depth,
            min_samples_leaf=self._leaf,
            max_features=self._features,
            random_state=int(random.integers(2**31)),
        ).fit(vectors, self._labels[rows])
        return flattened(grown.tree_, float(self._leaf))

    def _blanked_some(self, rows: Ints, random: np.random.Generator) -> Matrix:
        # Mapped memory is read in order.
        order = np.argsort(rows)
        vectors = np.empty((len(rows), self._vectors.shape[1]), dtype=np.float32)
        vectors[order] = as_rows(self._vectors[rows[order]])
        np.clip(vectors, -_LARGEST, _LARGEST, out=vectors)
        lost = np.flatnonzero(random.random(len(rows)) < self._blanked)
        some = vectors[lost]
        some[random.random(some.shape) < 0.5] = np.nan
        vectors[lost] = some
        return vectors


def flattened(tree: Any, weight: float) -> Forest:
    """The nodes of a fitted tree of scikit-learn, in the order of levels.

    The share of fraud in a leaf is drawn to that of the whole tree, which counts as `weight` rows
    (the m-estimate: Cestnik 1990, Estimating probabilities).
    """
    left, right = tree.children_left, tree.children_right
    order = [0]
    for node in order:
        if left[node] >= 0:
            order += [left[node], right[node]]
    nodes = np.array(order)
    place = np.empty(len(nodes), dtype=np.int64)
    place[nodes] = np.arange(len(nodes))
    leaf, right_too = left[nodes] < 0, ~tree.missing_go_to_left[nodes].astype(bool)
    rows, fraud = tree.weighted_n_node_samples[nodes], tree.value[nodes, 0, 1]
    return Forest(
        roots=np.zeros(1, dtype=np.int32),
        side=np.where(leaf, 0, 2 * tree.feature[nodes] + right_too).astype(np.int32),
        threshold=np.where(leaf, np.inf, _below(tree.threshold[nodes])).astype(np.float32),
        child=np.where(leaf, np.arange(len(nodes)), place[left[nodes]]).astype(np.int32),
        share=((rows * fraud + weight * fraud[0]) / (rows + weight)).astype(np.float32),
    )


def _below(thresholds: Floats) -> Matrix:
    """The greatest float32 not above each: it parts float32 values as the float64 does.

    An infinite one, where unknown values alone go right, is one that the greatest value exceeds.
    """
    rounded = np.minimum(thresholds, np.nextafter(GREATEST, np.float32(0))).astype(np.float32)
    return np.where(rounded > thresholds, np.nextafter(rounded, np.float32(-np.inf)), rounded)


def _shares(weights: Floats) -> Floats | None:
    """The chance of each row to be drawn; None where all are alike."""
    return None if (weights == weights[:1]).all() else weights / weights.sum()
