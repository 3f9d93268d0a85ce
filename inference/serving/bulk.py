"""Scores of many vectors, with the bits of decisions.

A decision's graph takes one row at a time, and bits are promised for that batch size alone. Whether
a graph of many rows gives the same is tried on the first of them; where a bit differs, all are
scored one at a time.
"""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from inference.serving.graph import SCORE, Graph, Matrix

_AT_ONCE = 64
_TRIED = 1_024


def bulk_scores(
    content: bytes, rows: Matrix, threads: int = 2
) -> tuple[npt.NDArray[np.float64], bool]:
    """([n] scores of `rows` [n, d], whether many at once gave them). Raises IntegrityError."""
    some = rows[: min(len(rows), _TRIED)]
    together = len(rows) > _AT_ONCE and bool(
        np.array_equal(_scored(Graph(content, _AT_ONCE), some), _scored(Graph(content, 1), some))
    )
    batch = _AT_ONCE if together else 1
    edges = np.linspace(0, len(rows), threads + 1, dtype=np.int64)
    parts = [rows[a:b] for a, b in pairwise(edges.tolist())]
    with ThreadPoolExecutor(threads) as pool:
        # Each thread has a graph of its own: one graph takes one caller at a time.
        made = pool.map(lambda part: _scored(Graph(content, batch), part), parts)
        return np.concatenate(list(made)), together


def _scored(graph: Graph, rows: Matrix) -> npt.NDArray[np.float64]:
    scores = np.empty(len(rows))
    last = np.zeros((graph.batch, graph.width), dtype=np.float32)
    for begin in range(0, len(rows), graph.batch):
        part = rows[begin : begin + graph.batch]
        if len(part) < graph.batch:
            last[: len(part)] = part
            scores[begin:] = graph.run(last)[: len(part), SCORE]
        else:
            scores[begin : begin + len(part)] = graph.run(part)[:, SCORE]
    return scores
