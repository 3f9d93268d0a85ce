"""Owns writing the card of a model that was just trained: what it came from, and where it lies."""

from __future__ import annotations

import subprocess
import tomllib
from pathlib import Path

from eventlog.topics import TRANSACTIONS
from inference.artefacts.store import ArtefactStore
from inference.evaluation.card.folder import write_card
from inference.evaluation.card.origin import Origin
from inference.training.train import TrainedModel
from runtime.settings import CHECKOUT, Settings


def write(settings: Settings, model_hash: str, trained: TrainedModel, source: str) -> Path:
    """The card's folder; `source` says in words what was learnt from. Raises OSError."""
    models = settings.models_dir
    positions = trained.validated.frame.positions
    origin = Origin(
        source=source,
        version=version(),
        commit=commit(),
        topic=TRANSACTIONS.name if positions else None,
        positions=positions,
    )
    artefact = ArtefactStore(models).open(model_hash)
    return write_card(models, artefact, trained.validated, origin, settings.measures)


def version() -> str:
    """Of Retrace, which runs from its checkout and is not installed."""
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    return str(project["version"])


def commit() -> str | None:
    """What git calls this state of the checkout; None where it is none, or git is missing."""
    if not (CHECKOUT / ".git").exists():
        return None
    command = ["git", "-C", str(CHECKOUT), "describe", "--always", "--dirty", "--exclude=*"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None
