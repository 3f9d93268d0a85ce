"""Records of the ENTITIES topic: events of one source partition that concern one shard.

An event is carried as the row that features fold, made once for all that it concerns. Records are
derived from TRANSACTIONS and rebuilt from it, so their bytes may change at any time: a record of
another version is refused, and the router writes anew from the markers.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from domain.errors import IntegrityError, UndecodableError
from domain.features import Entity
from domain.features.kernel.row_layout import WIDTH, Rows
from domain.features.rows import rows_of_bytes
from eventlog.partitioning import partition_for, partitions_for
from eventlog.topics import ENTITIES

VERSION = 3
"""Raised with the kinds of entities and the columns of a row: a record of before lacks them."""
KINDS: tuple[Entity, ...] = tuple(Entity)
"""An entry names its kind by the place in this."""

Traced = tuple[bytes, str | None]
"""The row of an event, and the id of its transaction where that was decided."""
Entry = tuple[int, list[str], list[int]]
"""Of one kind of entities: the kind, keys, and for each key the number of its event's row."""


class Routed(msgspec.Struct, array_like=True, frozen=True):
    """Covers offsets `first` to `last` of source partition `source`, without a gap.

    `rows` are those of the events, end to end in offset order, as domain.features.rows.row_bytes
    makes them. `entries` name the entities concerned, each kind once, in the order of the rows.
    `decided` are (row, transaction id) of what was decided, for traces alone.
    """

    version: int
    source: int
    first: int
    last: int
    rows: bytes = b""
    entries: list[Entry] = []
    decided: list[tuple[int, str]] = []

    @property
    def events(self) -> int:
        return len(self.rows) // (8 * WIDTH)

    def joins(self, last: Mapping[int, int]) -> bool:
        """True where the record adds to what is covered per source without a gap.

        A gap is a record routed before states were lost: the router, which starts from the
        markers, sends the whole of it again.
        """
        covered = last.get(self.source, -1)
        return self.last > covered and self.first <= covered + 1


class Gathered:
    """What of some events of one source concerns one shard, as it grows."""

    __slots__ = ("_decided", "_entries", "_last", "_rows")

    def __init__(self) -> None:
        self._rows: list[bytes] = []
        self._entries: dict[int, tuple[list[str], list[int]]] = {}
        self._decided: list[tuple[int, str]] = []
        self._last: Traced | None = None

    def __bool__(self) -> bool:
        return bool(self._rows)

    def add(self, kind: int, key: str, event: Traced) -> None:
        """`event` concerns that entity; all that it concerns is added before the next one is."""
        if self._last is not event:
            self._last = event
            if event[1] is not None:
                self._decided.append((len(self._rows), event[1]))
            self._rows.append(event[0])
        keys, numbers = self._entries.get(kind) or self._entries.setdefault(kind, ([], []))
        keys.append(key)
        numbers.append(len(self._rows) - 1)

    def record(self, source: int, first: int, last: int) -> Routed:
        entries = [(kind, *both) for kind, both in self._entries.items()]
        rows = b"".join(self._rows)
        return Routed(VERSION, source, first, last, rows, entries, self._decided)


class _Versioned(msgspec.Struct, array_like=True):
    """What records of all versions begin with."""

    version: int


_PREFIXES = tuple(kind + ":" for kind in KINDS)
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Routed).decode
_decode_version = msgspec.msgpack.Decoder(_Versioned).decode


def shard_of(entity: Entity, key: str) -> int:
    """The ENTITIES partition, and so the one writer, of an entity's state."""
    return partition_for(entity + ":" + key, ENTITIES.partitions)


def shards_of(keys: Iterable[tuple[Entity, str]]) -> list[int]:
    """As `shard_of` of each."""
    return partitions_for([entity + ":" + key for entity, key in keys], ENTITIES.partitions)


def shards_named(named: Iterable[Sequence[str | None]]) -> list[int]:
    """As `shard_of` of each key given, by `domain.features.entities.keys_of` of some events."""
    given = [
        prefix + key
        for keys in named
        for prefix, key in zip(_PREFIXES, keys, strict=True)
        if key is not None
    ]
    return partitions_for(given, ENTITIES.partitions)


def encode_routed(record: Routed) -> bytes:
    return _encode(record)


def decode_routed(value: bytes) -> Routed:
    """Raises UndecodableError."""
    try:
        version = _decode_version(value).version
        if version != VERSION:
            raise UndecodableError(f"a routed record of version {version}, not {VERSION}")
        return _decode(value)
    except msgspec.MsgspecError as error:
        raise UndecodableError(f"not a routed record: {error}") from error


def entries_of(record: Routed) -> list[tuple[Entity, list[str], Rows]]:
    """Of each kind of entities concerned the keys, and of each its row, in the order of folding.

    Raises UndecodableError for rows of another layout, and for entries that name none of them.
    """
    try:
        rows = rows_of_bytes(record.rows, record.source)
        found = [(KINDS[kind], keys, rows[numbers]) for kind, keys, numbers in record.entries]
    except (IntegrityError, IndexError) as error:
        raise UndecodableError(f"not a routed record: {error}") from error
    if any(len(keys) != len(mine) for _, keys, mine in found):
        raise UndecodableError("not a routed record: keys without a row, or rows without a key")
    return found
