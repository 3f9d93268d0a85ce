"""Trees that were grown, kept in blocks: a fit goes on from them, and workers put them together."""

import time
import zipfile
from collections.abc import Callable
from pathlib import Path

from domain.errors import IntegrityError, UnavailableError
from host.files import write_whole
from inference.serving.forest.forest import Forest

_LOOK_SECONDS = 0.2
PATIENCE_SECONDS = 3600.0


class KeptTrees:
    """The blocks of trees of each phase, as `<folder>/<phase>-<block>.npz`; in memory without one.

    The folder may be shared by processes and machines: a block is there whole or not at all, and
    the same bytes whoever grew it.
    """

    def __init__(self, folder: Path | None = None, patience: float = PATIENCE_SECONDS) -> None:
        self._folder, self._patience = folder, patience
        self._in_memory: dict[tuple[str, int], Forest] = {}

    def has(self, phase: str, block: int) -> bool:
        if self._folder is None:
            return (phase, block) in self._in_memory
        return self._path(self._folder, phase, block).exists()

    def keep(self, phase: str, block: int, trees: Forest) -> None:
        """Raises UnavailableError where the disk is full."""
        if self._folder is None:
            self._in_memory[phase, block] = trees
        else:
            write_whole(self._path(self._folder, phase, block), trees.to_bytes())

    def awaited(self, phase: str, block: int, waiting: Callable[[], None]) -> Forest:
        """The trees of a block, once they are there; `waiting` is called meanwhile.

        Raises UnavailableError where nobody grows them in time, IntegrityError for a damaged file.
        """
        if self._folder is None:
            return self._in_memory[phase, block]
        path = self._path(self._folder, phase, block)
        until = time.monotonic() + self._patience
        while not path.exists():
            waiting()
            if time.monotonic() > until:
                raise UnavailableError(
                    "training",
                    f"no worker has written {path} within {self._patience:g} s: see that the worker"
                    " of these trees runs, and start this one again",
                )
            time.sleep(_LOOK_SECONDS)
        return _read(path)

    def count(self) -> int:
        """Blocks of all phases; it grows with each that is kept."""
        return len(list(self._folder.glob("*-*.npz"))) if self._folder else len(self._in_memory)

    @staticmethod
    def _path(folder: Path, phase: str, block: int) -> Path:
        return folder / f"{phase}-{block}.npz"


def _read(path: Path) -> Forest:
    try:
        return Forest.from_bytes(path.read_bytes())
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise IntegrityError(
            f"{path} is damaged ({error}): remove it, and its trees are grown again"
        ) from error
