"""Secret keys of this installation, made once and kept in the state folder."""

import secrets
from contextlib import suppress
from pathlib import Path

from host.files import whole_file


def read_or_create(state_dir: Path, name: str) -> str:
    """The key of that name, made on first use. Concurrent first uses agree on one key."""
    path = state_dir / "secrets" / f"{name}.key"
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(FileExistsError), whole_file(path, replace=False, mode=0o600) as draft:
            draft.write_text(secrets.token_hex(32) + "\n")
    return path.read_text().strip()
