"""Trees that are averaged: each learns from rows of its own, and looks at some features at a split.

Breiman 2001, Random Forests. A tree draws frauds and genuine rows apart, so that every part of a
long history takes part in the forest while a tree stays quick to grow.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from inference.frame.frame import Bools, Floats, Frame, Ints, Vectors
from inference.serving.forest.forest import Forest
from inference.serving.graph import GREATEST, Matrix, as_rows

_LARGEST = np.float32(1e30)  # scikit-learn adds all values up


@dataclass(frozen=True, slots=True)
class FitSettings:
    """Of `trees` that are averaged, and `boosted` ones.

    `genuine` rows take part in an averaged tree, and of the frauds the same part of all, but
    `least_frauds` where there are as many; `leaf` is the least number of rows in its leaves.
    Boosted trees learn from `boosted_rows` of each kind at most. A tree makes `depth` comparisons
    at most; deeper ones rank worse. `blanked_rows` is the share of rows of an averaged tree that
    lose half of their values: without it, scores of payments that lack a customer or a merchant
    would be arbitrary.
    """

    trees: int = 90
    genuine: int = 33_000
    least_frauds: int = 2_000
    boosted: int = 200
    boosted_rows: int = 100_000
    depth: int = 10
    leaf: int = 10
    blanked_rows: float = 0.1


class Growing:
    """The labelled rows of a frame, from which trees grow."""

    def __init__(self, frame: Frame, chosen: FitSettings) -> None:
        self._vectors, self._labels, self._chosen = frame.vectors, frame.labels, chosen
        self._features = min(frame.vectors.shape[1], round(2 * frame.vectors.shape[1] ** 0.5))
        frauds, others = (np.flatnonzero(frame.labels == kind) for kind in (1, 0))
        genuine = min(chosen.genuine, len(others))
        part = round(len(frauds) * genuine / len(others))
        taken = min(len(frauds), max(part, chosen.least_frauds))
        self._kinds = [
            (rows, _shares(frame.stands_for[rows]), number)
            for rows, number in ((frauds, taken), (others, genuine))
        ]

    def tree(self, seed: int, number: int) -> Forest:
        """A forest of this tree alone, which follows from the rows, `seed` and `number`."""
        from sklearn.tree import DecisionTreeClassifier

        random = np.random.default_rng([seed, number])
        rows = np.concatenate([random.choice(of, size, p=p) for of, p, size in self._kinds])
        vectors = learnt_from(self._vectors, rows)
        self._blank_some(vectors, random)
        grown = DecisionTreeClassifier(
            max_depth=self._chosen.depth,
            min_samples_leaf=self._chosen.leaf,
            max_features=self._features,
            random_state=int(random.integers(2**31)),
        ).fit(vectors, self._labels[rows])
        return flattened(grown.tree_, float(self._chosen.leaf))

    def _blank_some(self, vectors: Matrix, random: np.random.Generator) -> None:
        lost = np.flatnonzero(random.random(len(vectors)) < self._chosen.blanked_rows)
        some = vectors[lost]
        some[random.random(some.shape) < 0.5] = np.nan
        vectors[lost] = some


def learnt_from(vectors: Vectors, rows: Ints) -> Matrix:
    """`rows` of `vectors` as scikit-learn takes them."""
    # Mapped memory is read in order.
    order = np.argsort(rows)
    taken = np.empty((len(rows), vectors.shape[1]), dtype=np.float32)
    taken[order] = as_rows(vectors[rows[order]])
    np.clip(taken, -_LARGEST, _LARGEST, out=taken)
    return taken


def flattened(tree: Any, weight: float) -> Forest:
    """A fitted tree of scikit-learn as a forest.

    The share of fraud in a leaf is drawn to that of the whole tree, which counts as `weight` rows
    (the m-estimate: Cestnik 1990, Estimating probabilities).
    """
    rows, fraud = tree.weighted_n_node_samples, tree.value[:, 0, 1]
    return arranged(
        tree.children_left,
        tree.children_right,
        tree.feature,
        tree.threshold,
        tree.missing_go_to_left.astype(bool),
        (rows * fraud + weight * fraud[0]) / (rows + weight),
    )


def arranged(
    left: Ints, right: Ints, feature: Ints, threshold: Floats, unknown_left: Bools, says: Floats
) -> Forest:
    """The nodes [n] of a tree, by levels, as a forest; a leaf has a `left` below 0."""
    order = [0]
    for node in order:
        if left[node] >= 0:
            order += [int(left[node]), int(right[node])]
    nodes = np.array(order)
    place = np.empty(len(nodes), dtype=np.int64)
    place[nodes] = np.arange(len(nodes))
    leaf = left[nodes] < 0
    return Forest(
        roots=np.zeros(1, dtype=np.int32),
        side=np.where(leaf, 0, 2 * feature[nodes] + ~unknown_left[nodes]).astype(np.int32),
        threshold=np.where(leaf, np.inf, _below(threshold[nodes])).astype(np.float32),
        child=np.where(leaf, np.arange(len(nodes)), place[left[nodes]]).astype(np.int32),
        says=says[nodes].astype(np.float32),
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
