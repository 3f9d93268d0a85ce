"""Export: a grown forest becomes the files of an artefact, checked by the probe batch.

Only `from_keras_model` is used: other entry points of the converter gave other scores, silently.
"""

import contextlib
import hashlib
import io
from typing import Any

import msgspec
import numpy as np

from inference.artefacts.manifest import Manifest, Probe
from inference.artefacts.store import FOREST, GRAPH, MANIFEST
from inference.frame.frame import Floats
from inference.serving.forest.forest import Forest
from inference.serving.forest.keras_model import scoring
from inference.serving.forest.tensorflow_setup import start
from inference.serving.graph import SCORE, Graph, as_row, as_rows
from inference.serving.probe import check

PROBE_ROWS = 64


def export(forest: Forest, manifest: Manifest, probe: Floats) -> dict[str, bytes]:
    """The files of the artefact; `manifest` lacks its model_id and probe, which are set here.

    The id follows from all files: the same training gives the same id, and two models that differ
    in a fact alone have two. Raises IntegrityError where LiteRT does not reproduce TensorFlow on
    `probe`.
    """
    model = scoring(forest, len(manifest.feature_names), manifest.calibration)
    graph = converted(model)
    trees = forest.to_bytes()
    manifest = msgspec.structs.replace(manifest, model_id="", probe=_probe(model, probe))
    content = hashlib.sha256(graph + trees + manifest.to_json()).hexdigest()
    manifest = msgspec.structs.replace(manifest, model_id=f"forest-{content[:12]}")
    runner = Graph(graph, 1)
    what = f"model {manifest.model_id}"
    check(manifest.probe, lambda row: float(runner.run(as_row(row))[0, SCORE]), what)
    return {GRAPH: graph, MANIFEST: manifest.to_json(), FOREST: trees}


def to_list(vector: Any) -> list[float | None]:
    """Numbers as JSON carries them: None where unknown."""
    return [None if np.isnan(value) else float(value) for value in vector]


def converted(model: Any) -> bytes:
    """The LiteRT graph of a Keras model, not yet checked."""
    tensorflow = start()
    # Keras prints where it saved an intermediate; stdout belongs to the command's answer.
    with contextlib.redirect_stdout(io.StringIO()):
        converter = tensorflow.lite.TFLiteConverter.from_keras_model(model)
        graph: bytes = converter.convert()
    return graph


def _probe(model: Any, rows: Floats) -> Probe:
    """Every probe row once as it is; every fourth also with half of its values unknown."""
    blanked = rows[::4].copy()
    blanked[:, ::2] = np.nan
    unknown = np.full((1, rows.shape[1]), np.nan)
    every = np.concatenate([rows, blanked, unknown])
    scores = np.asarray(model(as_rows(every)))[:, SCORE]
    return Probe([to_list(row) for row in every], [float(score) for score in scores])
