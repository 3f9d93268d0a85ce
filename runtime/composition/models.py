"""Owns where this installation keeps its models, as the settings say; the files are inference's."""

from __future__ import annotations

from inference.artefacts.shared import SharedArtefacts
from inference.artefacts.store import MANIFEST, ArtefactStore
from runtime.settings import Settings


def artefacts_of(settings: Settings) -> ArtefactStore:
    """The folder below the state folder, with the shared copy where one is set. Asks nothing."""
    shared = SharedArtefacts(settings.models_url, MANIFEST) if settings.models_url else None
    return ArtefactStore(settings.models_dir, shared)
