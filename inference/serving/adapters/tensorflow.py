"""TensorFlow scorer in process: the oracle for LiteRT; it takes seconds and 400 MB to load."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from domain.errors import SettingsError
from domain.policy.score import Score
from domain.transactions import Transaction
from inference.artefacts.store import Artefact
from inference.serving.explain import explainer_of
from inference.serving.graph import SCORE, Matrix, as_row
from inference.serving.machine import cpu_features
from inference.serving.probe import check


class TensorFlowScorer:
    """Implements commands.ports.Scorer; agrees with LiteRtScorer to the probe's tolerance."""

    blocking = False

    def __init__(self, artefact: Artefact) -> None:
        from inference.serving.forest.keras_model import restored
        from inference.serving.forest.tensorflow_setup import start

        manifest = artefact.manifest
        self.model_id = manifest.model_id
        self.model_hash = artefact.model_hash
        self.inputs = manifest.inputs
        tensorflow = start()
        self.fingerprint = f"tensorflow-{tensorflow.__version__}/{cpu_features()}"
        self._width = len(manifest.feature_names)
        rows = tensorflow.TensorSpec([None, self._width], tensorflow.float32)
        model = restored(artefact)
        # Compiled once: layer by layer a score takes ten times as long.
        self._model: Any = tensorflow.function(model, input_signature=[rows])
        check(manifest.probe, self.value, f"model {manifest.model_id}")
        self._explainer = explainer_of(artefact)

    def score(
        self,
        transaction: Transaction,  # noqa: ARG002
        values: Sequence[float | None],
    ) -> Score:
        return Score(self.value(values), self._explainer.reasons(as_row(values)))

    def value(self, values: Sequence[float | None]) -> float:
        """The score alone, without its reasons."""
        if len(values) != self._width:
            raise SettingsError(
                f"model {self.model_id} takes {self._width} features, not {len(values)}"
            )
        return float(self._run(as_row(values))[0, SCORE])

    def _run(self, rows: Matrix) -> Matrix:
        return np.asarray(self._model(rows))
