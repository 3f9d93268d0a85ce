"""Owns keys that are made once and kept in the state folder; not what is done with them."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def read_or_create(state_dir: Path, name: str) -> str:
    """The key of that name, made on first use. Concurrent first uses agree on one key."""
    path = state_dir / "secrets" / f"{name}.key"
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _create(path)
    return path.read_text().strip()


def _create(path: Path) -> None:
    # A link fails if the name exists, so that no reader sees half a key and the first one stays.
    draft = path.with_suffix(f".{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32) + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
