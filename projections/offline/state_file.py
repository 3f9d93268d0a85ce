"""States of entities in SQLite, with the mark of what they are of.

The file is a cache of the log: a lost or broken one is made anew by folding the log again.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from domain.errors import IntegrityError, UnavailableError
from domain.features import Entity
from eventlog.cache_files import is_damaged, open_cache, remove_cache

_SCHEMA = """
CREATE TABLE IF NOT EXISTS states (
  entity TEXT, key TEXT, state BLOB, PRIMARY KEY (entity, key)
);
CREATE TABLE IF NOT EXISTS mark (id INTEGER PRIMARY KEY CHECK (id = 0), value BLOB);
"""
_PUT = (
    "INSERT INTO states VALUES (?, ?, ?)"
    " ON CONFLICT (entity, key) DO UPDATE SET state = excluded.state"
)
_CHUNK = 500
_CACHE_KIB = 32_768


class SqliteStates:
    """Implements entity_states.StateFile. One thread at a time; one process owns the file.

    Where SQLite gives up what was written and not committed (a full disk may end a transaction,
    https://sqlite.org/lang_transaction.html) IntegrityError ends the process: the next one goes on
    from the last commit.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._db = open_cache(path, _SCHEMA, _CACHE_KIB)

    def read(self, entity: Entity, keys: Sequence[str]) -> Mapping[str, bytes]:
        found: dict[str, bytes] = {}
        try:
            for start in range(0, len(keys), _CHUNK):
                some = keys[start : start + _CHUNK]
                marks = ",".join("?" * len(some))
                found.update(
                    self._db.execute(
                        f"SELECT key, state FROM states WHERE entity = ? AND key IN ({marks})",
                        (entity, *some),
                    )
                )
        except sqlite3.Error as error:
            # In the midst of a fold, which cannot be gone back on.
            if is_damaged(error):
                remove_cache(self._path)
            raise IntegrityError(f"{self._path} cannot be read: {error}") from error
        return found

    def write(self, entity: Entity, states: Mapping[str, bytes]) -> None:
        with self._taken():
            self._db.executemany(_PUT, [(entity, key, state) for key, state in states.items()])

    def commit(self, mark: bytes) -> None:
        with self._taken():
            self._db.execute("INSERT OR REPLACE INTO mark VALUES (0, ?)", (mark,))
            self._db.commit()

    def roll_back(self) -> bytes | None:
        self._db.rollback()
        with self._taken():
            found = self._db.execute("SELECT value FROM mark").fetchone()
        return found[0] if found else None

    def clear(self) -> None:
        self._db.rollback()
        with self._taken():
            self._db.execute("DELETE FROM states")
            self._db.execute("DELETE FROM mark")
            self._db.commit()

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def _taken(self) -> Iterator[None]:
        written = self._db.in_transaction
        try:
            yield
        except sqlite3.Error as error:
            if written and not self._db.in_transaction:
                raise IntegrityError(f"{self._path} lost what was written: {error}") from error
            raise UnavailableError("disk", f"{self._path} takes nothing: {error}") from error


@contextmanager
def scratch_states(path: Path | None) -> Iterator[SqliteStates | None]:
    """Begins empty, and its file goes with it; None where there is no path."""
    if path is None:
        yield None
        return
    remove_cache(path)
    try:
        with closing(SqliteStates(path)) as file:
            yield file
    finally:
        remove_cache(path)
