"""Forests drawn at random, and the values at which implementations could part."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from inference.serving.forest.forest import Forest
from inference.serving.graph import GREATEST, Matrix

WIDTH = 5
_LEAST = float(np.finfo(np.float32).smallest_subnormal)
_SUBNORMAL = [_LEAST, -_LEAST, 1e-39]
_PLAIN = [0.0, -0.0, 1.0, 1.0 + 2**-23, 7.5, float(GREATEST), -1.0, -7.5, -float(GREATEST)]

ROWS: st.SearchStrategy[Matrix] = st.integers(1, 70).flatmap(
    lambda rows: arrays(
        np.float32,
        (rows, WIDTH),
        elements=st.sampled_from([*_PLAIN, *_SUBNORMAL, float("nan")])
        | st.floats(-float(GREATEST), float(GREATEST), width=32),
    )
)


def drawn(
    seed: int, averaged: int, boosted: int, depth: int = 6, *, subnormal: bool = True
) -> Forest:
    """Trees of up to `depth` comparisons; thresholds are often values that ROWS often holds."""
    random = np.random.default_rng(seed)
    edges = [*_PLAIN, *_SUBNORMAL] if subnormal else _PLAIN
    roots: list[int] = []
    side: list[int] = []
    threshold: list[float] = []
    child: list[int] = []
    for _ in range(averaged + boosted):
        roots.append(len(child))
        level = [_leaf(side, threshold, child)]
        for _ in range(depth):
            inner = [node for node in level if random.random() < 0.7]
            level = []
            for node in inner:
                edge = random.random() < 0.7
                threshold[node] = float(random.choice(edges) if edge else random.normal())
                side[node] = int(random.integers(2 * WIDTH))
                child[node] = len(child)
                level += [_leaf(side, threshold, child) for _ in range(2)]
    says = random.normal(0, 0.1, len(child)) * 10.0 ** random.integers(-4, 2, len(child))
    end = roots[averaged] if boosted else len(child)
    says[:end] = random.uniform(1e-6, 1 - 1e-6, end)
    says[end:][random.random(len(child) - end) < 0.1] = random.choice([0.0, -0.0, _LEAST])
    return Forest(
        np.array(roots, np.int32),
        np.array(side, np.int32),
        np.array(threshold, np.float32),
        np.array(child, np.int32),
        says.astype(np.float32),
        boosted,
    )


def _leaf(side: list[int], threshold: list[float], child: list[int]) -> int:
    side.append(0)
    threshold.append(float("inf"))
    child.append(len(child))
    return len(child) - 1
