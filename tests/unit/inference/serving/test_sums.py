"""Sums over a forest are those of plain walks, added in the stated order."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from inference.serving.forest.forest import Forest, sided
from inference.serving.forest.sums import LeafSums
from inference.serving.graph import Matrix
from tests.builders.feature_streams import examples
from tests.unit.inference.serving.forests import ROWS, drawn


def by_definition(forest: Forest, row: Matrix) -> Matrix:
    values = sided(row[None, :])[0]
    said = []
    for root in forest.roots.tolist():
        node = root
        while forest.child[node] != node:
            node = int(forest.child[node]) + int(values[forest.side[node]] > forest.threshold[node])
        said.append(forest.says[node])
    places = 1
    while places < max(forest.averaged, forest.boosted):
        places *= 2
    kinds = said[: forest.averaged], said[forest.averaged :]
    padded = [[*kind, *[np.float32(0)] * (places - len(kind))] for kind in kinds]
    while places > 1:
        places //= 2
        padded = [[kind[at] + kind[at + places] for at in range(places)] for kind in padded]
    return np.array([kind[0] for kind in padded], dtype=np.float32)


@given(
    rows=ROWS,
    seed=st.integers(0, 1 << 30),
    averaged=st.integers(1, 9),
    boosted=st.integers(0, 18),
    depth=st.integers(0, 6),
)
@examples(60)
def test_sums_are_those_of_plain_walks_in_the_stated_order(
    rows: Matrix, seed: int, averaged: int, boosted: int, depth: int
) -> None:
    forest = drawn(seed, averaged, boosted, depth)
    found = LeafSums(forest)(rows)
    expected = np.stack([by_definition(forest, row) for row in rows])
    assert found.tobytes() == expected.tobytes()
    assert forest.depth <= depth
