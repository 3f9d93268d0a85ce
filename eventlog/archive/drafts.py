"""Owns how a file appears in a folder: whole, and on the disk, or not at all; knows no Parquet."""

from __future__ import annotations

import os
import secrets
import time
from pathlib import Path
from typing import Any

from eventlog.archive.layout import DRAFT

_ABANDONED_SECONDS = 3600


def write_whole(path: str, data: Any) -> None:
    """Returns once it would outlive a loss of power. Raises OSError: nothing is left behind."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    # A name of its own: a writer that was left behind may be writing the same file.
    draft = target.with_name(f"{target.name}.{secrets.token_hex(4)}{DRAFT}")
    try:
        with draft.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    _settle(target.parent)


def sweep(folder: str) -> None:
    """Removes the drafts of writers that died."""
    for draft in Path(folder).glob(f"partition=*/*{DRAFT}"):
        try:
            if time.time() - draft.stat().st_mtime > _ABANDONED_SECONDS:
                draft.unlink()
        except FileNotFoundError:
            continue


def _settle(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
