"""Owns how files of models and training runs appear: whole and on the disk, or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from domain.errors import UnavailableError


def write_whole(path: Path, data: bytes) -> None:
    """In place of what was there, which stays if the disk is full: UnavailableError."""
    draft = path.with_name(f"{path.name}.draft")
    with writing(path):
        try:
            with draft.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        except OSError:
            draft.unlink(missing_ok=True)
            raise


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turns an OSError into UnavailableError that names the path and tells what to do."""
    try:
        yield
    except OSError as error:
        raise UnavailableError(
            "disk",
            f"cannot write {path}: {error.strerror or error}; free some space, or set"
            " RETRACE_STATE_DIR to another disk",
        ) from error
