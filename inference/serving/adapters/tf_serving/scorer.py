"""Scorer by a model server: it gives the score, and the trees of the artefact the reasons."""

import logging
from collections.abc import Sequence
from time import monotonic

from domain.errors import SettingsError, UnavailableError
from domain.policy.score import Score
from domain.transactions import Transaction
from inference.artefacts.store import Artefact
from inference.serving.adapters.tf_serving.answers import not_served
from inference.serving.explain import explainer_of
from inference.serving.graph import SCORE, Matrix, as_row
from inference.serving.model_server import ModelServer, served_version
from inference.serving.probe import check

logger = logging.getLogger(__name__)

_LOAD_SECONDS = 5.0
_BREAK_SECONDS = 0.5


class TfServingScorer:
    """Implements commands.ports.Scorer for an artefact that a server serves. Thread-safe.

    Loading raises UnavailableError where the server is away or lacks that version, IntegrityError
    where it does not reproduce the probe batch. `score` raises UnavailableError once `timeout`
    seconds are over; after that nothing is asked of the server for half a second, so that the
    decisions of a burst do not each wait for the same timeout.
    """

    blocking = True

    def __init__(self, artefact: Artefact, server: ModelServer, timeout: float) -> None:
        manifest = artefact.manifest
        self.model_id = manifest.model_id
        self.model_hash = artefact.model_hash
        self.inputs = manifest.inputs
        self._width = len(manifest.feature_names)
        self._explainer = explainer_of(artefact)
        self._server, self._timeout = server, timeout
        self._version = served_version(artefact.model_hash)
        self._broken_until = 0.0
        self.fingerprint = f"{server.kind}/{server.model}/{self._version}"
        state = server.state(self._version, _LOAD_SECONDS)
        if state != "AVAILABLE":
            raise not_served(server.place, server.model, self._version, state)
        what = f"model {manifest.model_id} at {server.place}"
        check(manifest.probe, lambda row: self._ask(self._row(row), _LOAD_SECONDS), what)

    def score(
        self,
        transaction: Transaction,  # noqa: ARG002
        values: Sequence[float | None],
    ) -> Score:
        row = self._row(values)
        if monotonic() < self._broken_until:
            raise UnavailableError(f"tf-serving {self._server.place}", "has just not answered")
        try:
            return Score(self._ask(row, self._timeout), self._explainer.reasons(row))
        except UnavailableError as error:
            self._broken_until = monotonic() + _BREAK_SECONDS
            logger.warning("rules decide for %g s: %s", _BREAK_SECONDS, error)
            raise

    def value(self, values: Sequence[float | None]) -> float:
        """The score alone, without its reasons and without haste."""
        return self._ask(self._row(values), _LOAD_SECONDS)

    def _ask(self, row: Matrix, timeout: float) -> float:
        return float(self._server.predict(self._version, row, timeout)[0, SCORE])

    def _row(self, values: Sequence[float | None]) -> Matrix:
        if len(values) != self._width:
            raise SettingsError(
                f"model {self.model_id} takes {self._width} features, not {len(values)}"
            )
        return as_row(values)
