"""LiteRT scorer: in process, one row at a time; it serves and replays decisions."""

from collections.abc import Callable, Sequence

from domain.errors import SettingsError
from domain.features import Inputs
from domain.policy.score import Score
from domain.transactions import Transaction
from inference.artefacts.store import Artefact
from inference.serving.bulk import sums_and_tail
from inference.serving.explain import explainer_of
from inference.serving.graph import SCORE, Graph, Matrix, as_row, kernel
from inference.serving.machine import cpu_features
from inference.serving.probe import check


class LiteRtScorer:
    """Implements commands.ports.Scorer for one verified artefact. Thread-safe.

    None and NaN are unknown values, which the graph itself encodes. A vector of another length
    raises SettingsError. Loading raises IntegrityError where the graph does not reproduce the
    probe batch.
    """

    blocking = False

    def __init__(self, artefact: Artefact) -> None:
        manifest = artefact.manifest
        self._model_id = manifest.model_id
        self._model_hash = artefact.model_hash
        self._inputs = manifest.inputs
        self._width = len(manifest.feature_names)
        graph = Graph(artefact.graph, 1)
        self._run: Callable[[Matrix], Matrix] = graph.run
        check(manifest.probe, self.value, f"model {manifest.model_id}")
        self._run = quickest(artefact, graph)
        self._explainer = explainer_of(artefact)
        self._fingerprint = f"{kernel()}/{cpu_features()}"

    @property
    def model_id(self) -> str:
        return self._model_id

    @property
    def model_hash(self) -> str:
        return self._model_hash

    @property
    def inputs(self) -> Inputs:
        return self._inputs

    @property
    def fingerprint(self) -> str:
        return self._fingerprint

    def score(
        self,
        transaction: Transaction,  # noqa: ARG002
        values: Sequence[float | None],
    ) -> Score:
        """Uses `values` alone, so that a recorded decision holds all its score depends on."""
        row = self._row(values)
        return Score(float(self._run(row)[0, SCORE]), self._explainer.reasons(row))

    def value(self, values: Sequence[float | None]) -> float:
        """The score alone, without its reasons."""
        return float(self._run(self._row(values))[0, SCORE])

    def _row(self, values: Sequence[float | None]) -> Matrix:
        if len(values) != self._width:
            raise SettingsError(
                f"model {self._model_id} takes {self._width} features, not {len(values)}"
            )
        return as_row(values)


def quickest(artefact: Artefact, graph: Graph) -> Callable[[Matrix], Matrix]:
    """Score and logit of one row: by compiled sums and the tail of the graph, where those give the
    bits of the whole `graph` for each row of the probe batch; else by that."""
    cut = sums_and_tail(artefact)
    if cut is None:
        return graph.run
    sums, tail = cut[0], Graph(cut[1], graph.batch)

    def run(row: Matrix) -> Matrix:
        return tail.run(sums(row))

    rows = map(as_row, artefact.manifest.probe.rows)
    same = all(run(row).tobytes() == graph.run(row).tobytes() for row in rows)
    return run if same else graph.run
