"""Export of a model into the folder of a model server: <folder>/<name>/<version>/."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from host.files import writing
from host.folders import whole_folder
from inference.artefacts.store import GRAPH, MANIFEST, ArtefactStore
from inference.serving.model_server import served_version
from inference.serving.probe import check_graph

Format = Literal["saved-model", "tflite"]


@dataclass(frozen=True, slots=True)
class Exported:
    """`version` is the number under which a model server finds it."""

    model_id: str
    model_hash: str
    name: str
    version: int
    path: Path


def export(store: ArtefactStore, model: str, folder: Path, name: str, form: Format) -> Exported:
    """Writes the model into <folder>/<name>/<version>, whole or not at all.

    What is written gives the scores of the probe batch to 1e-6. Raises NotFoundError,
    IntegrityError, UnavailableError.
    """
    artefact = store.open(store.find(model))
    version = served_version(artefact.model_hash)
    path = folder / name / str(version)
    with writing(path, "name another folder"):
        if form == "saved-model":
            from inference.training.saved_model import write_saved_model

            write_saved_model(artefact, path)
        else:
            check_graph(artefact)
            with whole_folder(path) as draft:
                (draft / GRAPH).write_bytes(artefact.graph)
                (draft / MANIFEST).write_bytes(artefact.manifest.to_json())
    return Exported(artefact.manifest.model_id, artefact.model_hash, name, version, path)
