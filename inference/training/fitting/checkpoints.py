"""Checkpoints of a fit, one after each epoch, from which it is resumed."""

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from domain.errors import IntegrityError
from host.files import write_whole
from inference.serving.graph import Matrix


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """After `epoch`: every variable of network and optimizer.

    No state of a random generator is among them: draws follow from seed, epoch and row.
    """

    epoch: int = 0
    variables: Sequence[Matrix] = ()


class Checkpoints:
    """The latest checkpoint of each phase, as `<folder>/<phase>.npz`.

    Without a folder none is kept. Where several processes fit together, only one of them `writes`.
    """

    def __init__(self, folder: Path | None = None, writes: bool = True) -> None:
        self._folder = folder
        self._writes = writes

    def latest(self, phase: str) -> Checkpoint:
        """One of epoch 0 where there is none. Raises IntegrityError for a damaged file."""
        path = self._folder / f"{phase}.npz" if self._folder else None
        if path is None or not path.exists():
            return Checkpoint()
        try:
            with np.load(path, allow_pickle=False) as stored:
                return _unpacked(stored)
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise IntegrityError(
                f"{path} is damaged ({error}): remove it, and the phase starts again"
            ) from error

    def epochs(self) -> int:
        """Of all phases together; it grows with each epoch that is kept."""
        kept = self._folder.glob("*.npz") if self._folder else ()
        return sum(self.latest(path.stem).epoch for path in kept)

    def keep(self, phase: str, checkpoint: Checkpoint) -> None:
        """In place of the one before, whole or not at all. Raises UnavailableError: a full disk."""
        if self._folder is None or not self._writes:
            return
        buffer = io.BytesIO()
        np.savez(buffer, **_packed(checkpoint))
        write_whole(self._folder / f"{phase}.npz", buffer.getvalue())


def _packed(checkpoint: Checkpoint) -> dict[str, Any]:
    variables = {f"variable_{i}": one for i, one in enumerate(checkpoint.variables)}
    return {"epoch": np.int64(checkpoint.epoch)} | variables


def _unpacked(stored: Any) -> Checkpoint:
    variables = [stored[f"variable_{i}"] for i in range(len(stored.files) - 1)]
    return Checkpoint(int(stored["epoch"]), variables)
