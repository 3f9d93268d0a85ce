"""Folder of a model card beside its artefact: written whole or not at all, and read.

<models>/<model_hash>/card/   card.json, card.md and PNG plots; no part of what the hash is of
"""

import json
from pathlib import Path
from typing import Any

from domain.errors import IntegrityError, NotFoundError
from host.folders import whole_folder
from inference.artefacts.store import Artefact
from inference.evaluation.card.content import content
from inference.evaluation.card.origin import Origin
from inference.evaluation.card.plots import plots
from inference.evaluation.card.text import markdown
from inference.evaluation.measures import MeasureSettings, Validated

FOLDER = "card"
JSON, TEXT = "card.json", "card.md"


def write_card(
    models: Path, artefact: Artefact, validated: Validated, origin: Origin, chosen: MeasureSettings
) -> Path:
    """The folder, made anew where there was one. Raises OSError where it cannot be written."""
    card = content(artefact, validated, origin, chosen)
    files: dict[str, bytes] = {
        JSON: (json.dumps(card, indent=1, allow_nan=False) + "\n").encode(),
        TEXT: markdown(card).encode(),
        **plots(card, validated, artefact.manifest.thresholds),
    }
    folder = models / artefact.model_hash / FOLDER
    with whole_folder(folder) as draft:
        for name, data in files.items():
            (draft / name).write_bytes(data)
    return folder


def read_card(models: Path, model_hash: str) -> tuple[dict[str, Any], str, Path]:
    """(content, text, folder). Raises NotFoundError where the model has none."""
    folder = models / model_hash / FOLDER
    try:
        content = json.loads((folder / JSON).read_bytes())
        return content, (folder / TEXT).read_text(), folder
    except FileNotFoundError:
        raise NotFoundError("model card", f"{model_hash[:12]} in {models}") from None
    except ValueError as error:
        raise IntegrityError(f"{folder / JSON} was altered: {error}") from None
