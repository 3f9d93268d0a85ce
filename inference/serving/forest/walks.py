"""Compiled walks through a forest: what each feature of a row changes, taken by itself."""

import numpy as np
import numpy.typing as npt

from domain.features.kernel.compiled import compiled
from inference.serving.forest.forest import Floats, Forest
from inference.serving.graph import GREATEST, Matrix

Bools = npt.NDArray[np.bool_]


class Walks:
    """Of a vector, beside the typical one; NaN is unknown."""

    def __init__(self, forest: Forest, typical: Matrix) -> None:
        """`typical` is [n]."""
        says = forest.says.astype(np.float64)
        self._nodes = forest.roots, forest.side, forest.threshold, forest.child, says
        self._averaged, self._typical = forest.averaged, typical

    def changes(self, row: Matrix, unknown: bool) -> tuple[Floats, Floats]:
        """[2, averaged] what the leaves of `row` [n] and of the typical vector say, and [2, 2, n]
        by how much the sums of what the averaged and the boosted trees say move with each feature's
        value of the other of the two.

        0 where both are alike, and, without `unknown`, where that of `row` is not known. Runs
        without the GIL.
        """
        said, moved = np.empty((2, self._averaged)), np.zeros((2, 2, len(row)))
        _changes(*self._nodes, self._averaged, row, self._typical, unknown, said, moved)
        return said, moved


@compiled
def _changes(
    roots: npt.NDArray[np.int32],
    side: npt.NDArray[np.int32],
    threshold: npt.NDArray[np.float32],
    child: npt.NDArray[np.int32],
    says: Floats,
    averaged: int,
    row: Matrix,
    typical: Matrix,
    unknown: bool,
    said: Floats,
    moved: Floats,
) -> None:
    asked = np.empty(len(row), np.bool_)
    sided = np.empty((2, 2 * len(row)), np.float32)
    for j in range(len(row)):
        is_known, typically = row[j] == row[j], typical[j] == typical[j]
        asked[j] = (is_known and row[j] != typical[j]) or (unknown and typically and not is_known)
        sided[0, 2 * j] = row[j] if is_known else -GREATEST
        sided[0, 2 * j + 1] = row[j] if is_known else GREATEST
        sided[1, 2 * j] = typical[j] if typically else -GREATEST
        sided[1, 2 * j + 1] = typical[j] if typically else GREATEST
    for i in range(2):
        _walk(
            roots, side, threshold, child, says, averaged, sided[i], sided[1 - i], asked, said[i],
            moved[i],
        )  # fmt: skip


@compiled
def _walk(
    roots: npt.NDArray[np.int32],
    side: npt.NDArray[np.int32],
    threshold: npt.NDArray[np.float32],
    child: npt.NDArray[np.int32],
    says: Floats,
    averaged: int,
    row: Matrix,
    other: Matrix,
    asked: Bools,
    said: Floats,
    moved: Floats,
) -> None:
    # A feature is tried where its other value first takes another way: before that all is alike,
    # and where there is no such node its leaf is the row's own.
    met = np.full(len(asked), -1, np.int64)
    where = np.empty(len(asked), np.int64)
    for tree in range(len(roots)):
        node, count = roots[tree], 0
        while child[node] != node:
            on = side[node]
            right = row[on] > threshold[node]
            if (other[on] > threshold[node]) != right and asked[on >> 1] and met[on >> 1] != tree:
                met[on >> 1] = tree
                where[count] = node
                count += 1
            node = child[node] + right
        if tree < averaged:
            said[tree] = says[node]
        for at in range(count):
            tried = side[where[at]] >> 1
            end = where[at]
            while child[end] != end:
                on = side[end]
                value = other[on] if on >> 1 == tried else row[on]
                end = child[end] + (value > threshold[end])
            moved[int(tree >= averaged), tried] += says[end] - says[node]
