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
    """After `epoch`: every variable of network and optimizer, and the best weights so far.

    No state of a random generator is among them: draws follow from seed, epoch and row.
    """

    epoch: int = 0
    variables: Sequence[Matrix] = ()
    best: float = -1.0
    best_epoch: int = 0
    best_weights: Sequence[Matrix] = ()


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

    def keep(self, phase: str, checkpoint: Checkpoint) -> None:
        """In place of the one before, whole or not at all. Raises UnavailableError: a full disk."""
        if self._folder is None or not self._writes:
            return
        buffer = io.BytesIO()
        np.savez(buffer, **_packed(checkpoint))
        write_whole(self._folder / f"{phase}.npz", buffer.getvalue())


def _packed(checkpoint: Checkpoint) -> dict[str, Any]:
    scalars = {
        "epoch": np.int64(checkpoint.epoch),
        "best": np.float64(checkpoint.best),
        "best_epoch": np.int64(checkpoint.best_epoch),
    }
    variables = {f"variable_{i}": one for i, one in enumerate(checkpoint.variables)}
    return scalars | variables | {f"best_{i}": one for i, one in enumerate(checkpoint.best_weights)}


def _unpacked(stored: Any) -> Checkpoint:
    def several(name: str) -> list[Matrix]:
        count = sum(key.rpartition("_")[0] == name and key != "best_epoch" for key in stored.files)
        return [stored[f"{name}_{i}"] for i in range(count)]

    return Checkpoint(
        int(stored["epoch"]),
        several("variable"),
        float(stored["best"]),
        int(stored["best_epoch"]),
        several("best"),
    )
