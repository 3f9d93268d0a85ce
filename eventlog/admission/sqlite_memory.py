"""Memory of transaction ids in SQLite, kept with the positions it was read up to.

The file is a cache of the log: a lost or broken one is rebuilt by reading the log again. After a
loss of power ids, labels and positions are all as of one commit. One process owns one file.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from eventlog.admission.first_wins import Known, Place, is_first_label
from eventlog.cache_files import open_cache, owned, remove_cache

_SCHEMA = """
CREATE TABLE IF NOT EXISTS known (
  id TEXT PRIMARY KEY, digest TEXT, mode TEXT, partition INTEGER, origin_offset INTEGER,
  known_time INTEGER, scored_offset INTEGER
) WITHOUT ROWID;
DROP INDEX IF EXISTS undecided;
CREATE TABLE IF NOT EXISTS labels (
  event_id TEXT, partition INTEGER, offset INTEGER, PRIMARY KEY (event_id, offset)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS positions (partition INTEGER PRIMARY KEY, next INTEGER);
"""
_CHUNK = 500
_CACHE_KIB = 65_536
_MOST_CACHED = 100_000


class SqliteMemory:
    """Implements first_wins.KeptMemory.

    Not thread-safe: one thread owns it. `path` None keeps all in RAM.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._lock = owned(path.with_suffix(".lock"), path) if path else None
        self._db = open_cache(path, _SCHEMA, _CACHE_KIB)
        # Since the last commit: what was looked up (None: not there) and what is to be written.
        self._ids: dict[str, Known | None] = {}
        self._labels: dict[str, list[Place]] = {}
        self._new_ids: dict[str, Known] = {}
        self._new_labels: list[tuple[str, int, int]] = []

    def prefetch(self, transaction_ids: Iterable[str], label_ids: Iterable[str]) -> None:
        # On a quiet log there is no commit that would empty the cache.
        if len(self._ids) > _MOST_CACHED:
            self._ids = dict(self._new_ids)
        ids = [each for each in set(transaction_ids) if each not in self._ids]
        self._ids.update(dict.fromkeys(ids))
        for row in self._rows("SELECT * FROM known WHERE id IN ({})", ids):
            self._ids[row[0]] = Known(*row[1:])
        events = [each for each in set(label_ids) if each not in self._labels]
        self._labels.update((each, []) for each in events)
        asked = "SELECT * FROM labels WHERE event_id IN ({}) ORDER BY offset"
        for event_id, partition, offset in self._rows(asked, events):
            self._labels[event_id].append((partition, offset))

    def known(self, transaction_id: str) -> Known | None:
        if transaction_id not in self._ids:
            self.prefetch((transaction_id,), ())
        return self._ids[transaction_id]

    def put(self, transaction_id: str, known: Known) -> None:
        self._ids[transaction_id] = self._new_ids[transaction_id] = known

    def label(self, event_id: str) -> Place | None:
        self.prefetch((), [event_id])
        return self._labels[event_id][-1] if self._labels[event_id] else None

    def admits_label(self, event_id: str, partition: int, offset: int, since: int) -> bool:
        if event_id not in self._labels:
            self.prefetch((), [event_id])
        places, place = self._labels[event_id], (partition, offset)
        if is_first_label(places, place, since):
            places.append(place)
            self._new_labels.append((event_id, *place))
        return place in places

    def positions(self) -> dict[int, int]:
        return dict(self._db.execute("SELECT partition, next FROM positions").fetchall())

    def starts(self, partitions: Iterable[int]) -> dict[int, int]:
        read = self.positions()
        return {partition: read.get(partition, 0) for partition in partitions}

    def forget(self, partitions: Iterable[int]) -> None:
        self._write()
        self._ids.clear()
        self._labels.clear()
        for table in ("known", "labels", "positions"):
            self._db.executemany(
                f"DELETE FROM {table} WHERE partition = ?", [(each,) for each in partitions]
            )
        self._db.commit()

    def commit(self, positions: Mapping[int, int]) -> None:
        self._write()
        self._ids.clear()
        self._labels.clear()
        self._db.executemany(
            "INSERT OR REPLACE INTO positions VALUES (?,?)", list(positions.items())
        )
        self._db.commit()

    def _write(self) -> None:
        self._db.executemany(
            "INSERT OR REPLACE INTO known VALUES (?,?,?,?,?,?,?)",
            [
                (i, k.digest, k.mode, k.partition, k.origin_offset, k.known_time, k.scored_offset)
                for i, k in self._new_ids.items()
            ],
        )
        self._db.executemany("INSERT OR REPLACE INTO labels VALUES (?,?,?)", self._new_labels)
        self._new_ids.clear()
        self._new_labels.clear()

    def _rows(self, sql: str, keys: list[str]) -> Iterator[Any]:
        for start in range(0, len(keys), _CHUNK):
            chunk = keys[start : start + _CHUNK]
            yield from self._db.execute(sql.format(",".join("?" * len(chunk))), chunk)

    def discard(self) -> None:
        if self._path:
            remove_cache(self._path)
        self.close()

    def close(self) -> None:
        self._db.close()
        if self._lock:
            self._lock.release()
