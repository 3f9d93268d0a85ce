"""Scores of many vectors, with the bits of decisions.

A decision's graph takes one row at a time, and bits are promised for that batch size alone. A model
whose graph adds in a stated order has its sums computed by compiled code, and the tail of its graph
makes scores of many of them at once; one of an earlier format goes through its graph, many rows at
once. Whether that gives the same bits is tried on the first rows; where a bit differs, all are
scored one at a time.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from inference.artefacts.store import Artefact
from inference.serving.forest.forest import Forest
from inference.serving.forest.sums import LeafSums
from inference.serving.forest.tail import tail_of
from inference.serving.graph import SCORE, Graph, Matrix, as_rows

_AT_ONCE = 64
_SUMS_AT_ONCE = 4_096
_TRIED = 1_024
_BLOCK = 1 << 15  # vectors that are rounded and scored at once: they are a copy

Floats = npt.NDArray[np.float64]
Score = Callable[[Matrix], Floats]
"""From rows [n, d] to scores [n]; any number of threads at once."""


def bulk_scores(
    artefact: Artefact, vectors: Floats, places: Sequence[int], threads: int = 2
) -> tuple[Floats, bool]:
    """([n] scores of `vectors` [n, features], whether many at once gave them).

    The values of the model stand at `places`, in its own order; NaN is unknown. Raises
    IntegrityError.
    """

    def rows(begin: int, end: int) -> Matrix:
        return as_rows(vectors[begin:end].take(places, axis=1))

    some = rows(0, _TRIED)
    expected = _one_by_one(artefact)(some)
    ways = _ways(artefact) if len(vectors) > _AT_ONCE else iter(())
    way = next((each for each in ways if np.array_equal(each(some), expected)), None)
    score = way or _one_by_one(artefact)
    begins = range(0, len(vectors), _BLOCK)
    with ThreadPoolExecutor(threads) as pool:
        parts = pool.map(lambda begin: score(rows(begin, begin + _BLOCK)), begins)
        return np.concatenate([*parts, np.zeros(0)]), way is not None


def sums_and_tail(artefact: Artefact) -> tuple[LeafSums, bytes] | None:
    """The compiled sums, and the graph that makes scores of them; None for earlier formats."""
    tail = tail_of(artefact.graph) if artefact.manifest.adds_in_order else None
    return None if tail is None else (LeafSums(Forest.from_bytes(artefact.forest)), tail)


def _one_by_one(artefact: Artefact) -> Score:
    return lambda rows: _scored(Graph(artefact.graph, 1), rows)


def _ways(artefact: Artefact) -> Iterator[Score]:
    """The quickest first."""
    cut = sums_and_tail(artefact)
    if cut is not None:
        sums, tail = cut
        yield lambda rows: _scored(Graph(tail, _SUMS_AT_ONCE), sums(rows))
    yield lambda rows: _scored(Graph(artefact.graph, _AT_ONCE), rows)


def _scored(graph: Graph, rows: Matrix) -> Floats:
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
