"""Sums over a forest are those of plain walks, added in the stated order."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from inference.serving.forest.forest import Forest, sided
from inference.serving.forest.sums import LeafSums
from inference.serving.forest.walks import changes
from inference.serving.graph import Matrix
from tests.builders.feature_streams import examples
from tests.unit.inference.serving.forests import ROWS, drawn


def leaves_of(forest: Forest, row: Matrix) -> list[int]:
    values = sided(row[None, :])[0]
    leaves = []
    for root in forest.roots.tolist():
        node = root
        while forest.child[node] != node:
            node = int(forest.child[node]) + int(values[forest.side[node]] > forest.threshold[node])
        leaves.append(node)
    return leaves


def by_definition(forest: Forest, row: Matrix) -> Matrix:
    said = forest.says[leaves_of(forest, row)].tolist()
    places = 1
    while places < max(forest.averaged, forest.boosted):
        places *= 2
    kinds = said[: forest.averaged], said[forest.averaged :]
    padded = [np.array([*kind, *[0] * (places - len(kind))], np.float32) for kind in kinds]
    while places > 1:
        places //= 2
        padded = [kind[:places] + kind[places:] for kind in padded]
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


@given(rows=ROWS, seed=st.integers(0, 1 << 30))
@examples(20)
def test_reasons_are_of_the_leaves_that_are_summed(rows: Matrix, seed: int) -> None:
    forest = drawn(seed, 5, 3)
    values = sided(rows[:1])[0]
    nothing = np.zeros(rows.shape[1], dtype=np.bool_)
    leaves, _ = changes(forest, forest.says.astype(np.float64), values, values, nothing)
    assert leaves.tolist() == leaves_of(forest, rows[0])
