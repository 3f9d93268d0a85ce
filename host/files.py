"""Files that appear whole: written under the name of a draft, then moved into place."""

import glob
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from domain.errors import UnavailableError

DRAFT = ".draft"
STATE_FOLDER_REMEDY = "set RETRACE_STATE_DIR to another disk"
_ABANDONED_SECONDS = 3600


def write_whole(path: Path, data: bytes) -> None:
    """As `whole_file`, for content at hand. Raises UnavailableError as `writing`."""
    with writing(path), whole_file(path) as draft:
        draft.write_bytes(data)


@contextmanager
def whole_file(
    path: Path,
    *,
    durable: bool = True,
    replace: bool = True,
    mode: int = 0o666,
    suffix: str = DRAFT,
) -> Iterator[Path]:
    """A draft to write to, which takes the place of `path` once the block has ended well.

    Readers see the old file or the new one. Each writer has a draft of its own, so several may
    write one file: the last to end wins. `durable`: on the disk before this returns, so that it
    outlives a loss of power. Without `replace` an existing file stays: FileExistsError. `mode` is
    cut by the umask. Raises OSError; no draft is left then, and `path` is as it was. The draft of
    a writer that was killed is removed by a later writer of the same file.
    """
    remove_abandoned(path.parent, f"{glob.escape(path.name)}.*{suffix}")
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}{suffix}")
    try:
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode))
        yield draft
        if durable:
            _sync(draft)
        if replace:
            draft.replace(path)
        else:
            os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    if durable:
        _sync(path.parent)


def remove_abandoned(folder: Path, drafts: str) -> None:
    """Removes the drafts (a glob pattern below `folder`) that nobody has written to for an hour."""
    for draft in folder.glob(drafts):
        try:
            if time.time() - draft.stat().st_mtime > _ABANDONED_SECONDS:
                draft.unlink()
        except FileNotFoundError:
            continue


@contextmanager
def writing(path: Path, remedy: str = STATE_FOLDER_REMEDY) -> Iterator[None]:
    """Turns an OSError into UnavailableError that names the path and tells what to do."""
    try:
        yield
    except OSError as error:
        raise UnavailableError(
            "disk", f"cannot write {path}: {error.strerror or error}; free some space, or {remedy}"
        ) from error


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
