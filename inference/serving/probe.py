"""Probe batch: rows by which a loaded model is checked against the scores of TensorFlow.

Sums of a thousand float32 products in another order differ by 1e-6; a wrong conversion by far more.
"""

from collections.abc import Callable, Sequence

from domain.errors import IntegrityError
from inference.artefacts.manifest import Probe
from inference.artefacts.store import Artefact
from inference.serving.graph import SCORE, Graph, as_row

TOLERANCE = 1e-5


def check(probe: Probe, score: Callable[[Sequence[float | None]], float], what: str) -> None:
    """Raises IntegrityError where any probe row scores otherwise, or there is no probe."""
    if not probe.rows or len(probe.rows) != len(probe.scores):
        raise IntegrityError(f"{what} has no usable probe batch, so its graph cannot be trusted")
    for number, (row, expected) in enumerate(zip(probe.rows, probe.scores, strict=True)):
        got = score(row)
        if not abs(got - expected) <= TOLERANCE:
            raise IntegrityError(
                f"{what} scores probe row {number} as {got:.9f} where TensorFlow gave"
                f" {expected:.9f}: it was converted wrongly, or does not run on this machine"
            )


def check_graph(artefact: Artefact) -> None:
    """Raises IntegrityError where the artefact's LiteRT graph misses the probe batch."""
    graph = Graph(artefact.graph, 1)
    what = f"model {artefact.manifest.model_id}"
    check(artefact.manifest.probe, lambda row: float(graph.run(as_row(row))[0, SCORE]), what)
