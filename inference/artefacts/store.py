"""Store of artefacts: a folder of trained models, each under the hash of its content.

<folder>/<model_hash>/model.tflite   the graph that serves
                      model.json     see inference.artefacts.manifest
                      forest.npz     its trees, for the reasons and for TensorFlow
"""

import fcntl
import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from domain.errors import IntegrityError, InvalidInputError, NotFoundError, UnavailableError
from host.files import write_whole, writing
from host.folders import whole_folder
from inference.artefacts.manifest import Manifest
from inference.artefacts.shared import SharedArtefacts

GRAPH = "model.tflite"
MANIFEST = "model.json"
FOREST = "forest.npz"
FILES = (GRAPH, MANIFEST, FOREST)
_HASH = 64  # characters


@dataclass(frozen=True, slots=True)
class Artefact:
    """A model whose bytes have been verified against `model_hash`."""

    model_hash: str
    graph: bytes
    forest: bytes
    manifest: Manifest


class ArtefactStore:
    """A folder of this machine, and where machines share models, a copy of what it has there.

    What is in either never changes; putting again is harmless. What the folder has is opened
    without a look at the shared copy, so that a restart serves the model it had.
    """

    def __init__(self, folder: Path, shared: SharedArtefacts | None = None) -> None:
        self.folder, self._shared = folder, shared

    def put(self, files: Mapping[str, bytes]) -> str:
        """Stores FILES as a whole or not at all, and returns their hash.

        Raises UnavailableError where the disk takes no more, and where they are stored here and
        cannot be shared.
        """
        model_hash = self._keep(files)
        self.share(model_hash)
        return model_hash

    def share(self, model_hash: str) -> None:
        """Makes sure that other machines can open what is here. Raises as `open`."""
        if self._shared is None:
            return
        try:
            if content_hash(self._shared.get(model_hash, FILES)) == model_hash:
                return
        except NotFoundError:
            pass
        except UnavailableError as error:
            raise self._not_shared(model_hash, error) from error
        files = self.files(model_hash)
        try:
            self._shared.put(model_hash, files)
        except UnavailableError as error:
            raise self._not_shared(model_hash, error) from error

    def _not_shared(self, model_hash: str, error: UnavailableError) -> UnavailableError:
        return UnavailableError(
            error.server,
            f"{str(error).removeprefix(f'{error.server}: ')}; the model is kept in"
            f" {self.folder / model_hash}: once that place can be reached,"
            f" `retrace models register {model_hash[:12]}` shares it",
        )

    def _keep(self, files: Mapping[str, bytes]) -> str:
        model_hash = content_hash(files)
        with writing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            with _alone(self.folder):
                if not self._holds(model_hash):
                    self._place(files, self.folder / model_hash)
        return model_hash

    def _place(self, files: Mapping[str, bytes], target: Path) -> None:
        # A target that is there is an altered copy, which nobody can have opened.
        with whole_folder(target) as draft:
            for name in FILES:
                write_whole(draft / name, files[name])

    def open(self, model_hash: str) -> Artefact:
        """Raises NotFoundError for a hash that is nowhere, IntegrityError for altered content.

        What is not here, or was altered here, is taken from the shared copy, which may raise
        UnavailableError.
        """
        if self._shared is not None and not self._holds(model_hash):
            self._fetch(self._shared, model_hash)
        files = self._read(model_hash)
        if content_hash(files) != model_hash:
            raise IntegrityError(
                f"{self.folder / model_hash} was altered: its content no longer has the hash that"
                " names it; restore it, or remove it and train again"
            )
        return artefact_of(model_hash, files)

    def files(self, model_hash: str) -> dict[str, bytes]:
        """The very FILES of an artefact, verified. Raises as `open`."""
        self.open(model_hash)
        return self._read(model_hash)

    def _fetch(self, shared: SharedArtefacts, model_hash: str) -> None:
        try:
            files = shared.get(model_hash, FILES)
        except NotFoundError:
            return
        if content_hash(files) != model_hash:
            raise IntegrityError(
                f"{shared.url}/{model_hash} was altered: its content no longer has the hash that"
                " names it; put the model there again from a machine that has it"
            )
        self._keep(files)

    def holds(self, model_hash: str) -> bool:
        """True where the artefact can be opened. Raises UnavailableError of the shared copy."""
        if self._holds(model_hash) or self._shared is None:
            return self._holds(model_hash)
        return model_hash in self._shared.hashes()

    def _holds(self, model_hash: str) -> bool:
        try:
            return content_hash(self._read(model_hash)) == model_hash
        except (NotFoundError, IntegrityError):
            return False

    def find(self, named: str) -> str:
        """The hash of the artefact with that model id, or whose hash begins so.

        What is here is enough; else the shared copy is searched. Raises NotFoundError, or
        InvalidInputError where several do.
        """
        here = [path.name for path in self.folder.glob("*/") if len(path.name) == _HASH]
        found = self._named(here, named)
        if not found and self._shared is not None:
            found = self._named(self._shared.hashes(), named)
        if not found:
            raise NotFoundError("model artefact", named)
        if len(found) > 1:
            raise InvalidInputError("model", f"{named!r} names {len(found)} models: give the hash")
        return found[0]

    def _named(self, hashes: Sequence[str], named: str) -> list[str]:
        return [each for each in hashes if each.startswith(named)] or [
            each for each in hashes if self.open(each).manifest.model_id == named
        ]

    def _read(self, model_hash: str) -> dict[str, bytes]:
        folder = self.folder / model_hash
        if not folder.is_dir():
            raise NotFoundError("model artefact", model_hash)
        try:
            return {name: (folder / name).read_bytes() for name in FILES}
        except FileNotFoundError as error:
            raise IntegrityError(f"{error.filename} is missing from a model artefact") from error


def artefact_of(model_hash: str, files: Mapping[str, bytes]) -> Artefact:
    """FILES whose hash that is. Raises IntegrityError where the manifest cannot be read."""
    manifest = Manifest.from_json(files[MANIFEST])
    return Artefact(model_hash, files[GRAPH], files[FOREST], manifest)


def content_hash(files: Mapping[str, bytes]) -> str:
    """SHA-256 over the name and SHA-256 of each file, in the order of FILES."""
    digest = hashlib.sha256()
    for name in FILES:
        digest.update(f"{name} {hashlib.sha256(files[name]).hexdigest()}\n".encode())
    return digest.hexdigest()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process and thread at a time; the kernel frees the lock when its holder dies.

    The lock is on the folder itself: `filelock` would keep a file among the models.
    """
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
