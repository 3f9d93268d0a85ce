"""Sums over a forest are those of plain walks, added in the stated order."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from inference.serving.forest.forest import Forest, sided
from inference.serving.forest.sums import LeafSums
from inference.serving.forest.walks import Walks
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


@given(rows=ROWS, seed=st.integers(0, 1 << 30), unknown=st.booleans())
@examples(60)
def test_what_features_change_is_what_walks_with_the_other_value_say(
    rows: Matrix, seed: int, unknown: bool
) -> None:
    forest, pair = drawn(seed, 5, 3), [rows[0], rows[-1]]
    said, moved = Walks(forest, pair[1]).changes(pair[0], unknown)
    leaves = [leaves_of(forest, row) for row in pair]
    assert said.tolist() == [forest.says[each[:5]].tolist() for each in leaves]
    expected = np.zeros_like(moved)
    for j in range(len(pair[0])):
        if np.isnan(pair[0][j]) and not unknown:
            continue
        for i in range(2):
            row = pair[i].copy()
            row[j] = pair[1 - i][j]
            for tree, (end, begin) in enumerate(
                zip(leaves_of(forest, row), leaves[i], strict=True)
            ):
                change = float(forest.says[end]) - float(forest.says[begin])
                expected[i, int(tree >= 5), j] += change
    assert moved.tobytes() == expected.tobytes()
