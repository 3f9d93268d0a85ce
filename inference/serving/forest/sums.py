"""Sums over a forest in the order that its graph adds: compiled, for many rows at once.

Both kinds of trees have as many places, a power of two, in the order of the trees; where there is
no tree, the place says 0. The second half of the places is added to the first, place by place in
float32, until one is left. Each addition is rounded as IEEE 754 says, so that the bits of a sum
depend on that order alone, and comparisons are exact: whatever computes both gives the same sums.
"""

import numpy as np
import numpy.typing as npt

from domain.features.kernel.compiled import compiled
from inference.serving.forest.forest import Forest
from inference.serving.graph import GREATEST, Matrix

Indices = npt.NDArray[np.uint32]

_ROWS = 64  # at once: their values stay in the cache, and the nodes of one tree


def places_of(forest: Forest) -> int:
    """The places of each kind of trees; at least one."""
    return 1 << (max(forest.averaged, forest.boosted, 1) - 1).bit_length()


class LeafSums:
    """[n, 2] of `rows` [n, d]: what the averaged trees say, added, and what the boosted ones do."""

    def __init__(self, forest: Forest) -> None:
        # Indices without a sign need no look at whether they count from the end.
        self._nodes = (
            forest.roots.astype(np.uint32),
            forest.depths.astype(np.uint32),
            forest.side.astype(np.uint32),
            forest.threshold,
            forest.child.astype(np.uint32),
            forest.says,
        )
        self._averaged, self._places = forest.averaged, places_of(forest)

    def __call__(self, rows: Matrix) -> Matrix:
        """NaN is unknown, no value infinite. Runs without the GIL."""
        sums = np.empty((len(rows), 2), np.float32)
        _sums(*self._nodes, self._averaged, self._places, np.ascontiguousarray(rows), sums)
        return sums


@compiled
def _sums(
    roots: Indices,
    depths: Indices,
    side: Indices,
    threshold: npt.NDArray[np.float32],
    child: Indices,
    says: npt.NDArray[np.float32],
    averaged: int,
    places: int,
    rows: Matrix,
    sums: Matrix,
) -> None:
    width = 2 * rows.shape[1]
    most = min(_ROWS, len(rows))
    values = np.empty(most * width, np.float32)
    nodes = np.empty(most, np.uint32)
    said = np.zeros((2, places, most), np.float32)
    for begin in range(0, len(rows), _ROWS):
        count = min(_ROWS, len(rows) - begin)
        for i in range(count):
            for j in range(rows.shape[1]):
                value = rows[begin + i, j]
                known = value == value
                values[i * width + 2 * j] = value if known else -GREATEST
                values[i * width + 2 * j + 1] = value if known else GREATEST
        for tree in range(len(roots)):
            nodes[:count] = roots[tree]
            # Row by row in each step: walks of different rows do not wait for each other.
            for _ in range(depths[tree]):
                for i in range(count):
                    node = nodes[i]
                    right = values[np.uint32(i * width) + side[node]] > threshold[node]
                    nodes[i] = child[node] + np.uint32(right)
            kind = 0 if tree < averaged else 1
            place = tree if tree < averaged else tree - averaged
            for i in range(count):
                said[kind, place, i] = says[nodes[i]]
        # Places without a tree stay 0: what is added to them is 0 too.
        half = places // 2
        while half:
            for kind in range(2):
                for place in range(half):
                    for i in range(count):
                        said[kind, place, i] += said[kind, place + half, i]
            half //= 2
        for i in range(count):
            sums[begin + i, 0] = said[0, 0, i]
            sums[begin + i, 1] = said[1, 0, i]
