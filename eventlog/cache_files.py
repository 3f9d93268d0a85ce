"""SQLite files that are caches: whole after a loss of power, begun anew where damaged."""

import sqlite3
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

from domain.errors import SettingsError, UnavailableError


def open_cache(path: Path | None, schema: str, cache_kib: int) -> sqlite3.Connection:
    """`path` None keeps all in RAM. A damaged file is begun anew, like a missing one.

    After a loss of power the file is as of one of its commits, perhaps not the last one (SQLite,
    PRAGMA synchronous: NORMAL in WAL mode). Raises UnavailableError where the disk does not take
    it; what is there stays.
    """
    if path is None:
        return _connected(":memory:", schema, cache_kib)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            return _connected(str(path), schema, cache_kib)
        except sqlite3.DatabaseError as error:
            if not is_damaged(error):
                raise
            remove_cache(path)
            return _connected(str(path), schema, cache_kib)
    except (OSError, sqlite3.OperationalError) as error:
        raise UnavailableError("disk", f"{path} cannot be opened: {error}") from error


def is_damaged(error: BaseException) -> bool:
    """The file is no database any more. A full disk or a file that is locked is no damage."""
    return isinstance(error, sqlite3.DatabaseError) and not isinstance(
        error, sqlite3.OperationalError
    )


def remove_cache(path: Path) -> None:
    for file in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
        file.unlink(missing_ok=True)


def owned(lock: Path, what: Path) -> BaseFileLock:
    """The lock of the one process that may use it. Raises SettingsError where another has it."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    # Whichever thread closes the memory frees the lock.
    held = FileLock(lock, thread_local=False, fallback_to_soft=False)
    try:
        held.acquire(timeout=0)
    except (Timeout, OSError) as error:
        raise SettingsError(
            f"{what} is in use by another process: give each process its own RETRACE_INSTANCE"
        ) from error
    return held


def _connected(target: str, schema: str, cache_kib: int) -> sqlite3.Connection:
    db = sqlite3.connect(target, check_same_thread=False)
    try:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=NORMAL")
        db.execute(f"PRAGMA cache_size=-{cache_kib}")
        db.executescript(schema)
    except sqlite3.Error:
        db.close()
        raise
    return db
