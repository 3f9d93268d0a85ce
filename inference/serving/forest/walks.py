"""Compiled walks through a forest: what each feature of a row changes, taken by itself."""

import numpy as np
import numpy.typing as npt

from domain.features.kernel.compiled import compiled
from inference.serving.forest.forest import Floats, Forest, Nodes
from inference.serving.graph import Matrix

Bools = npt.NDArray[np.bool_]


def changes(
    forest: Forest, said: Floats, row: Matrix, other: Matrix, asked: Bools
) -> tuple[Nodes, Floats]:
    """The leaves [trees] of `row`, and [2, n] by how much the sums of what the averaged and the
    boosted trees say move with each feature's value of `other`; 0 where it is not `asked` for.

    `said` [nodes] is what each leaf says; both rows are [2 n], each value on its two sides.
    """
    leaves = np.empty(len(forest), np.int64)
    moved = np.zeros((2, len(asked)))
    nodes = forest.roots, forest.side, forest.threshold, forest.child
    _walk(*nodes, said, forest.averaged, row, other, asked, leaves, moved)
    return leaves, moved


@compiled
def _walk(
    roots: npt.NDArray[np.int32],
    side: npt.NDArray[np.int32],
    threshold: npt.NDArray[np.float32],
    child: npt.NDArray[np.int32],
    said: Floats,
    averaged: int,
    row: Matrix,
    other: Matrix,
    asked: Bools,
    leaves: Nodes,
    moved: Floats,
) -> None:
    # A feature is tried at the first node of a tree that compares it: what lies before is alike.
    met = np.full(len(asked), -1, np.int64)
    where = np.empty(len(asked), np.int64)
    for tree in range(len(roots)):
        node, count = roots[tree], 0
        while child[node] != node:
            feature = side[node] >> 1
            if asked[feature] and met[feature] != tree:
                met[feature] = tree
                where[count] = node
                count += 1
            node = child[node] + (row[side[node]] > threshold[node])
        leaves[tree] = node
        for at in range(count):
            tried = side[where[at]] >> 1
            end = where[at]
            while child[end] != end:
                on = side[end]
                value = other[on] if on >> 1 == tried else row[on]
                end = child[end] + (value > threshold[end])
            moved[int(tree >= averaged), tried] += said[end] - said[node]
