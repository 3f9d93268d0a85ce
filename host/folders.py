"""Owns how a folder appears: whole or not at all; knows nothing of what is in it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from domain.errors import UnavailableError


@contextmanager
def placed(target: Path) -> Iterator[Path]:
    """A folder to write in, which becomes `target` once all went well; what was there is replaced.

    Raises UnavailableError naming the target where the disk does not play along.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # Model servers look for folders named by a number: this one they do not see.
        draft = Path(tempfile.mkdtemp(prefix=".new-", dir=target.parent))
        try:
            yield draft
            draft.chmod(0o755)
            if target.exists():
                shutil.rmtree(target)
            draft.rename(target)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    except OSError as error:
        raise UnavailableError(str(target), f"cannot be written: {error}") from error
