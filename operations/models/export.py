"""Owns a model in a folder as model servers load it: <folder>/<name>/<version>/; serves nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from host.files import writing
from host.folders import whole_folder
from inference.artefacts.store import GRAPH, MANIFEST, Artefact
from inference.serving.model_server import served_version
from inference.serving.probe import check_graph
from runtime.composition.models import artefacts_of
from runtime.settings import Settings

Format = Literal["saved-model", "tflite"]


@dataclass(frozen=True, slots=True)
class Exported:
    """`version` is the number under which a model server finds it."""

    model_id: str
    model_hash: str
    name: str
    version: int
    path: Path


def export(settings: Settings, named: str, folder: Path, form: Format) -> Exported:
    """Writes the model into <folder>/<name>/<version>, whole or not at all; no server is asked.

    What was written has given the scores of the probe batch to 1e-6. Raises NotFoundError,
    IntegrityError, UnavailableError.
    """
    store = artefacts_of(settings)
    artefact = store.open(store.find(named))
    version = served_version(artefact.model_hash)
    path = folder / settings.tf_serving_model / str(version)
    with writing(path, "name another folder"):
        if form == "saved-model":
            from inference.training.saved_model import write_saved_model

            write_saved_model(artefact, path)
        else:
            _write_graph(artefact, path)
    name = settings.tf_serving_model
    return Exported(artefact.manifest.model_id, artefact.model_hash, name, version, path)


def _write_graph(artefact: Artefact, path: Path) -> None:
    check_graph(artefact)
    with whole_folder(path) as draft:
        (draft / GRAPH).write_bytes(artefact.graph)
        (draft / MANIFEST).write_bytes(artefact.manifest.to_json())
