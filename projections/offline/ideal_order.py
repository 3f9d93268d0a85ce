"""Events put into the ideal order on disk: memory does not grow with the log.

A log is not in this order, nor is any of its partitions: imports state their own known times.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from domain.errors import UnavailableError
from domain.features import FeatureEvent
from projections.offline.merge import Place

_CACHE_KB = 65_536
_SETUP = (
    "PRAGMA journal_mode = OFF",
    "PRAGMA synchronous = OFF",
    f"PRAGMA cache_size = -{_CACHE_KB}",
    "CREATE TABLE events (known INTEGER, partition INTEGER, position INTEGER, wanted INTEGER,"
    " event BLOB, labelled TEXT, PRIMARY KEY (known, partition, position)) WITHOUT ROWID",
    "BEGIN",
)
# All labels of a transaction share a partition, so that positions tell which stands later.
_OVERRULED = (
    "SELECT earlier.known, earlier.partition, earlier.position FROM events earlier"
    " JOIN events later ON later.labelled = earlier.labelled"
    " AND later.position > earlier.position AND later.known < earlier.known"
)
Placed = tuple[Place, bool, FeatureEvent]
"""An event at its place, and whether the vector of its transaction is wanted."""


class IdealOrder:
    """A scratch file, some 400 bytes an event; it goes with this, or with the next of its name.
    Without a path it is in memory.

    Raises UnavailableError where the disk does not take it. One thread at a time.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder().decode
        try:
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.unlink(missing_ok=True)
            self._file = sqlite3.connect(
                path or ":memory:", isolation_level=None, check_same_thread=False
            )
            for statement in _SETUP:
                self._file.execute(statement)
        except (OSError, sqlite3.Error) as error:
            raise self._unavailable(error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    def add(self, events: Iterable[Placed]) -> None:
        rows = ((*place, wanted, *self._columns(event)) for place, wanted, event in events)
        try:
            self._file.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)", rows)
        except sqlite3.Error as error:
            raise self._unavailable(error) from error

    def overruled(self) -> set[Place]:
        """Labels that come after one of their transaction that stands behind them in the log."""
        try:
            self._file.execute(
                "CREATE INDEX by_label ON events (labelled) WHERE labelled IS NOT NULL"
            )
            return set(self._file.execute(_OVERRULED))
        except sqlite3.Error as error:
            raise self._unavailable(error) from error

    def upto(self, last: Place, at_once: int) -> Iterator[Sequence[Placed]]:
        """In the ideal order, `last` included, so many at once."""
        try:
            cursor = self._file.execute(
                "SELECT known, partition, position, wanted, event FROM events"
                " WHERE (known, partition, position) <= (?, ?, ?)"
                " ORDER BY known, partition, position",
                last,
            )
            while rows := cursor.fetchmany(at_once):
                yield [
                    (
                        (known, partition, position),
                        bool(wanted),
                        FeatureEvent.from_wire(self._decode(event)),
                    )
                    for known, partition, position, wanted, event in rows
                ]
        except sqlite3.Error as error:
            raise self._unavailable(error) from error

    def _columns(self, event: FeatureEvent) -> tuple[bytes, str | None]:
        labelled = None if event.label is None else event.transaction_id
        return self._encode(event.to_wire()), labelled

    def _unavailable(self, error: Exception) -> UnavailableError:
        return UnavailableError(
            f"the scratch file {self._path}", f"{error}: it takes some 400 bytes per event"
        )
