"""Entries of lists as they were written, for people; conditions look them up by digests alone.

They lie in a temporary file of the process, for a list may have a million: it is made from the log
when it is first asked for, and kept up from then on.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Lock

from commands.policy.topic import PolicyTopic, each_of
from domain.errors import NotFoundError
from domain.events import (
    DeclaredList,
    Envelope,
    ListEntriesStaged,
    ListEntry,
    ListPublished,
    RulesPublished,
)
from eventlog.port import EventLog

_TABLES = """
CREATE TABLE entries (list TEXT, text TEXT, until INTEGER, reason TEXT, version INTEGER,
  PRIMARY KEY (list, text)) WITHOUT ROWID;
CREATE TABLE staged (list TEXT, batch TEXT, part INTEGER, text TEXT, until INTEGER, reason TEXT);
CREATE INDEX staged_by_batch ON staged (list, batch, part);
"""


@dataclass(frozen=True, slots=True)
class ListHead:
    """The last change of a list: its version is the offset, its time the known time."""

    of: str
    version: int
    batch: str
    entries_hash: str
    known_time: int
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class ListState:
    """A list that the rules in force declare. `head` is None while it never had an entry."""

    declared: DeclaredList
    head: ListHead | None
    entries: int


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """`version` is that of the change that said it last."""

    entry: ListEntry
    version: int


class ListedEntries:
    """Reads on with each call. Thread-safe. Each raises LogUnavailableError; another goes on."""

    def __init__(self, log: EventLog) -> None:
        self._lock = Lock()
        self._topic = PolicyTopic(log)
        # A name of nothing: SQLite keeps it in a file that nobody else sees, gone with the process.
        self._store = sqlite3.connect("", check_same_thread=False, isolation_level=None)
        self._store.executescript(_TABLES)
        self._declared: dict[str, DeclaredList] = {}
        self._heads: dict[str, ListHead] = {}
        self._parts: dict[tuple[str, str], set[int]] = {}
        self._last = -1

    def close(self) -> None:
        with self._lock:
            self._store.close()

    def state(self) -> tuple[Mapping[str, ListHead], int]:
        """The last change of each list, and the last offset that was read."""
        with self._lock:
            self._read()
            return dict(self._heads), self._last

    def lists(self) -> list[ListState]:
        """Of the rules in force, by name."""
        with self._lock:
            self._read()
            counts = dict(self._store.execute("SELECT list, count(*) FROM entries GROUP BY list"))
            return [
                ListState(each, self._heads.get(name), counts.get(name, 0))
                for name, each in sorted(self._declared.items())
            ]

    def declared(self, name: str) -> DeclaredList:
        """Raises NotFoundError for a list that the rules in force do not declare."""
        with self._lock:
            self._read()
            if name not in self._declared:
                raise NotFoundError("list of the rules in force", name)
            return self._declared[name]

    def page(self, name: str, after: str, limit: int) -> list[StoredEntry]:
        """Entries whose text comes after `after`, in the order of texts; also those that ended."""
        with self._lock:
            self._read()
            return self._found("text > ? ORDER BY text LIMIT ?", (name, after, limit))

    def find(self, name: str, texts: Sequence[str]) -> list[StoredEntry]:
        """Those of these texts that the list has."""
        with self._lock:
            self._read()
            return [each for text in texts for each in self._found("text = ?", (name, text))]

    def _found(self, where: str, given: tuple[object, ...]) -> list[StoredEntry]:
        query = f"SELECT text, until, reason, version FROM entries WHERE list = ? AND {where}"
        rows = self._store.execute(query, given)
        return [StoredEntry(ListEntry(text, until, why), n) for text, until, why, n in rows]

    def _read(self) -> None:
        self._store.execute("BEGIN")
        try:
            for offset, envelope in self._topic.read():
                self._apply(offset, envelope)
        finally:
            # What was read counts: the topic goes on behind it.
            self._store.execute("COMMIT")

    def _apply(self, offset: int, envelope: Envelope) -> None:
        data = envelope.data
        self._last = offset
        for each in each_of(data):
            if isinstance(each, RulesPublished):
                self._declared = {seen.name: seen for seen in each.lists if each.rules}
        if isinstance(data, ListEntriesStaged):
            self._stage(data)
        elif isinstance(data, ListPublished):
            self._publish(offset, envelope)

    def _stage(self, data: ListEntriesStaged) -> None:
        place = (data.name, data.batch, data.part)
        self._store.execute("DELETE FROM staged WHERE list = ? AND batch = ? AND part = ?", place)
        rows = [(*place, *each) for each in data.entries]
        self._store.executemany("INSERT INTO staged VALUES (?, ?, ?, ?, ?, ?)", rows)
        self._parts.setdefault((data.name, data.batch), set()).add(data.part)

    def _publish(self, offset: int, envelope: Envelope) -> None:
        """As domain.policy.lists.published says of a change that another one came between."""
        data: ListPublished = envelope.data
        name, batch = data.name, data.batch
        if len(self._parts.get((name, batch), ())) != data.parts:
            return
        if data.change == "replace":
            self._store.execute("DELETE FROM entries WHERE list = ?", (name,))
        if data.change == "remove":
            self._store.execute(
                "DELETE FROM entries WHERE list = ? AND text IN"
                " (SELECT text FROM staged WHERE list = ? AND batch = ?)",
                (name, name, batch),
            )
        else:
            self._store.execute(
                "INSERT OR REPLACE INTO entries SELECT list, text, until, reason, ? FROM staged"
                " WHERE list = ? AND batch = ? ORDER BY part",
                (offset, name, batch),
            )
        self._store.execute("DELETE FROM staged WHERE list = ?", (name,))
        self._parts = {key: parts for key, parts in self._parts.items() if key[0] != name}
        hashed = data.entries_hash if data.change == "replace" else ""
        self._heads[name] = ListHead(
            data.of, offset, batch, hashed, envelope.known_time, data.by, data.reason
        )
