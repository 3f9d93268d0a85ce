"""Parked labels: those that came before their transaction, in a file of the worker that has them.

The file is a cache of the dead-letter topic with the positions it was read up to: a lost or broken
one is made anew by reading the topic again.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from domain.times import DAY, SECOND
from eventlog.cache_files import open_cache

_SCHEMA = """
CREATE TABLE IF NOT EXISTS parked (
  transaction_id TEXT, partition INTEGER, offset INTEGER, letter_id TEXT, sealed TEXT,
  since INTEGER, PRIMARY KEY (transaction_id, partition, offset)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS waiting (
  transaction_id TEXT PRIMARY KEY, due INTEGER, pause INTEGER
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS waiting_by_due ON waiting (due);
CREATE TABLE IF NOT EXISTS positions (partition INTEGER PRIMARY KEY, next INTEGER);
"""
_FIRST_PAUSE = SECOND
_CHUNK = 500
_CACHE_KIB = 16_384


@dataclass(frozen=True, slots=True)
class Parked:
    """A label in its dead letter, `sealed`, which lies at `offset`; set aside at `since`
    (microseconds UTC)."""

    transaction_id: str
    partition: int
    offset: int
    letter_id: str
    sealed: str
    since: int


class ParkedLabels:
    """Labels by transaction, and when each transaction is asked for again (microseconds UTC).

    One thread owns it. `path` None keeps all in RAM.
    """

    def __init__(self, path: Path | None) -> None:
        self._db = open_cache(path, _SCHEMA, _CACHE_KIB)

    def starts(self, partitions: set[int]) -> dict[int, int]:
        """Where to read on in these, 0 where nothing was read; all others are forgotten."""
        held = dict(self._db.execute("SELECT partition, next FROM positions").fetchall())
        for partition in held.keys() - partitions:
            for table in ("parked", "positions"):
                self._db.execute(f"DELETE FROM {table} WHERE partition = ?", (partition,))
            self._db.execute(
                "DELETE FROM waiting WHERE NOT EXISTS"
                " (SELECT 1 FROM parked WHERE parked.transaction_id = waiting.transaction_id)"
            )
        self._db.commit()
        return {partition: held.get(partition, 0) for partition in partitions}

    def park(self, labels: Iterable[Parked], positions: Mapping[int, int], now: int) -> None:
        """Keeps them with the positions; their transactions are asked for at once."""
        kept = list(labels)
        self._db.executemany(
            "INSERT OR IGNORE INTO parked VALUES (?,?,?,?,?,?)",
            [
                (p.transaction_id, p.partition, p.offset, p.letter_id, p.sealed, p.since)
                for p in kept
            ],
        )
        self._db.executemany(
            "INSERT OR REPLACE INTO waiting VALUES (?,?,?)",
            [(p.transaction_id, now, _FIRST_PAUSE) for p in kept],
        )
        self._db.executemany(
            "INSERT OR REPLACE INTO positions VALUES (?,?)", list(positions.items())
        )
        self._db.commit()

    def of(self, transaction_id: str) -> list[Parked]:
        """In the order in which they were set aside."""
        found = self._db.execute(
            "SELECT * FROM parked WHERE transaction_id = ? ORDER BY partition, offset",
            (transaction_id,),
        )
        return [Parked(*row) for row in found]

    def waited_for(self, transaction_ids: Sequence[str]) -> list[str]:
        """Those of them that have labels here."""
        found: list[str] = []
        for start in range(0, len(transaction_ids), _CHUNK):
            some = transaction_ids[start : start + _CHUNK]
            marks = ",".join("?" * len(some))
            sql = f"SELECT transaction_id FROM waiting WHERE transaction_id IN ({marks})"
            found += [row[0] for row in self._db.execute(sql, some)]
        return found

    def after(self, transaction_id: str, most: int) -> list[str]:
        """The next transactions in the order of their ids; "" for the first."""
        sql = "SELECT transaction_id FROM waiting WHERE transaction_id > ? ORDER BY 1 LIMIT ?"
        return [row[0] for row in self._db.execute(sql, (transaction_id, most))]

    def due(self, now: int, most: int) -> list[str]:
        """The transactions to ask for by now, the longest due first."""
        sql = "SELECT transaction_id FROM waiting WHERE due <= ? ORDER BY due LIMIT ?"
        return [row[0] for row in self._db.execute(sql, (now, most))]

    def next_due(self) -> int | None:
        """None where nothing is parked."""
        due: int | None = self._db.execute("SELECT min(due) FROM waiting").fetchone()[0]
        return due

    def put_off(self, transaction_id: str, now: int, longest: int = DAY) -> None:
        """Asked for again after a second at first, then after eight times as long, up to
        `longest` microseconds."""
        self._db.execute(
            "UPDATE waiting SET due = ? + min(pause, ?), pause = min(8 * pause, ?)"
            " WHERE transaction_id = ?",
            (now, longest, DAY, transaction_id),
        )

    def remove(self, labels: Iterable[Parked]) -> None:
        for each in labels:
            key = (each.transaction_id,)
            self._db.execute(
                "DELETE FROM parked WHERE transaction_id = ? AND partition = ? AND offset = ?",
                (*key, each.partition, each.offset),
            )
            self._db.execute(
                "DELETE FROM waiting WHERE transaction_id = ? AND NOT EXISTS"
                " (SELECT 1 FROM parked WHERE transaction_id = ?)",
                key * 2,
            )

    def save(self) -> None:
        """Keeps what was put off and removed; without it that is done once more."""
        self._db.commit()

    def close(self) -> None:
        self._db.close()
