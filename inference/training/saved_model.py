"""SavedModel for TensorFlow Serving: <folder>/<name>/<version>/, checked once written.

The signature `serving_default` takes `features` [n, d] float32, NaN where unknown, and gives
`score` [n] and `logit` [n].
"""

from pathlib import Path
from typing import Any

import numpy as np

from host.folders import whole_folder
from inference.artefacts.store import Artefact
from inference.serving.forest.keras_model import restored
from inference.serving.forest.tensorflow_setup import start
from inference.serving.graph import LOGIT, SCORE, as_row
from inference.serving.model_server import INPUT, SIGNATURE
from inference.serving.probe import check


def write_saved_model(artefact: Artefact, target: Path) -> None:
    """Writes `target`, which appears whole or not at all; one that is there is replaced.

    Raises IntegrityError where what was written does not reproduce the probe batch, read back from
    the disk; OSError where the folder cannot be written.
    """
    with whole_folder(target) as draft:
        _save(artefact, draft)
        _check(artefact, draft)


def _save(artefact: Artefact, folder: Path) -> None:
    tensorflow = start()
    manifest = artefact.manifest
    model = restored(artefact)
    row = tensorflow.TensorSpec([None, len(manifest.feature_names)], tensorflow.float32, INPUT)

    def named(features: Any) -> dict[str, Any]:
        scores = model(features)
        return {"score": scores[:, SCORE], "logit": scores[:, LOGIT]}

    serve = tensorflow.function(named, input_signature=[row])
    module = tensorflow.Module()
    module.model, module.serve = model, serve
    tensorflow.saved_model.save(module, str(folder), signatures={SIGNATURE: serve})


def _check(artefact: Artefact, folder: Path) -> None:
    """Through the signature that servers call, from the bytes on the disk."""
    tensorflow = start()
    loaded = tensorflow.saved_model.load(str(folder))
    serve = loaded.signatures[SIGNATURE]

    def score(row: Any) -> float:
        answer = serve(**{INPUT: tensorflow.constant(as_row(row))})
        return float(np.asarray(answer["score"])[0])

    check(artefact.manifest.probe, score, f"the SavedModel of {artefact.manifest.model_id}")
