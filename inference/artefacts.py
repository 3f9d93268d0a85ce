"""Owns the folder of trained models, each under the hash of its content; trains and scores nothing.

<folder>/<model_hash>/model.tflite   the graph that serves
                      model.json     see inference.manifest
                      weights.npz    the same weights, for the TensorFlow oracle
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from domain.errors import IntegrityError, InvalidInputError, NotFoundError
from inference.manifest import Manifest

GRAPH = "model.tflite"
MANIFEST = "model.json"
WEIGHTS = "weights.npz"
FILES = (GRAPH, MANIFEST, WEIGHTS)
_HASH = 64  # characters


@dataclass(frozen=True, slots=True)
class Artefact:
    """A model whose bytes have been verified against `model_hash`."""

    model_hash: str
    graph: bytes
    weights: bytes
    manifest: Manifest


class ArtefactStore:
    """A folder shared by processes. What is in it never changes; putting again is harmless."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, files: Mapping[str, bytes]) -> str:
        """Stores FILES as a whole or not at all, and returns their hash."""
        model_hash = content_hash(files)
        self._folder.mkdir(parents=True, exist_ok=True)
        with _alone(self._folder):
            if not self.holds(model_hash):
                self._place(files, self._folder / model_hash)
        return model_hash

    def _place(self, files: Mapping[str, bytes], target: Path) -> None:
        staging = Path(tempfile.mkdtemp(prefix=".new-", dir=self._folder))
        try:
            staging.chmod(0o755)
            for name in FILES:
                _write(staging / name, files[name])
            if target.exists():  # an altered copy, which nobody can have opened
                shutil.rmtree(target)
            staging.rename(target)
        finally:
            shutil.rmtree(staging, ignore_errors=True)

    def open(self, model_hash: str) -> Artefact:
        """Raises NotFoundError for a hash that is not here, IntegrityError for altered content."""
        files = self._read(model_hash)
        if content_hash(files) != model_hash:
            raise IntegrityError(
                f"{self._folder / model_hash} was altered: its content no longer has the hash that"
                " names it; restore it, or remove it and train again"
            )
        manifest = Manifest.from_json(files[MANIFEST])
        return Artefact(model_hash, files[GRAPH], files[WEIGHTS], manifest)

    def holds(self, model_hash: str) -> bool:
        """True where the artefact is here and unaltered."""
        try:
            return content_hash(self._read(model_hash)) == model_hash
        except (NotFoundError, IntegrityError):
            return False

    def find(self, named: str) -> str:
        """The hash of the artefact here with that model id, or whose hash begins so.

        Raises NotFoundError, or InvalidInputError where several do.
        """
        here = [path.name for path in self._folder.glob("*/") if len(path.name) == _HASH]
        found = [each for each in here if each.startswith(named)] or [
            each for each in here if self.open(each).manifest.model_id == named
        ]
        if not found:
            raise NotFoundError("model artefact", named)
        if len(found) > 1:
            raise InvalidInputError("model", f"{named!r} names {len(found)} models: give the hash")
        return found[0]

    def _read(self, model_hash: str) -> dict[str, bytes]:
        folder = self._folder / model_hash
        if not folder.is_dir():
            raise NotFoundError("model artefact", model_hash)
        try:
            return {name: (folder / name).read_bytes() for name in FILES}
        except FileNotFoundError as error:
            raise IntegrityError(f"{error.filename} is missing from a model artefact") from error


def content_hash(files: Mapping[str, bytes]) -> str:
    """SHA-256 over the name and SHA-256 of each file, in the order of FILES."""
    digest = hashlib.sha256()
    for name in FILES:
        digest.update(f"{name} {hashlib.sha256(files[name]).hexdigest()}\n".encode())
    return digest.hexdigest()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process and thread at a time; the lock ends with its holder."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _write(path: Path, data: bytes) -> None:
    # Synced before the rename: a name that stands for content must never name less of it.
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
