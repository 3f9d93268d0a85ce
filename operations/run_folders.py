"""Folders of runs that can be interrupted: locked by the process that runs, and removed whole.

The kernel frees a lock when its process ends.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from domain.errors import ConflictError

_LOCK = "lock"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Raises ConflictError where another process has it, FileNotFoundError where it is gone."""
    # Not filelock, which would create the folder again that another process has just removed.
    # A file of its own: over NFS only what is open for writing can be locked.
    handle = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConflictError(folder.name, f"another process has the run in {folder}") from None
        yield
    finally:
        os.close(handle)


def is_held(folder: Path) -> bool:
    try:
        with locked(folder):
            return False
    except (ConflictError, FileNotFoundError):
        return True


def remove_folder(folder: Path) -> None:
    # First out of sight: half a folder is no run.
    gone = folder.with_name(f".old-{folder.name}")
    folder.rename(gone)
    shutil.rmtree(gone, ignore_errors=True)


def sweep(root: Path) -> None:
    """Removes what processes left that died while they made or removed a folder."""
    for folder in root.glob(".*-*"):
        if not is_held(folder):
            shutil.rmtree(folder, ignore_errors=True)
