"""Records of the ENTITIES topic: events of one source partition that concern one shard.

They are derived from TRANSACTIONS and rebuilt from it, so their bytes may change at any time: a
record of another version is refused, and the router writes anew from the markers.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from domain.errors import UndecodableError
from domain.features import Entity, FeatureEvent, entity_keys
from eventlog.partitioning import partition_for, partitions_for
from eventlog.topics import ENTITIES

# Raised with the kinds of entities: a record of before lacks the entries of a new kind.
VERSION = 2
_ENTITIES: dict[str, Entity] = {entity.value: entity for entity in Entity}


class Routed(msgspec.Struct, array_like=True, frozen=True):
    """Covers offsets `first` to `last` of source partition `source`, without a gap.

    `entries` are (offset, the entities concerned, event), in offset order.
    """

    version: int
    source: int
    first: int
    last: int
    entries: list[tuple[int, list[str], list[Any]]]

    def joins(self, last: Mapping[int, int]) -> bool:
        """True where the record adds to what is covered per source without a gap.

        A gap is a record routed before states were lost: the router, which starts from the
        markers, sends the whole of it again.
        """
        covered = last.get(self.source, -1)
        return self.last > covered and self.first <= covered + 1


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Routed).decode


def shard_of(entity: Entity, key: str) -> int:
    """The ENTITIES partition, and so the one writer, of an entity's state."""
    return partition_for(entity + ":" + key, ENTITIES.partitions)


def shards_of(keys: Iterable[tuple[Entity, str]]) -> list[int]:
    """As `shard_of` of each."""
    return partitions_for([entity + ":" + key for entity, key in keys], ENTITIES.partitions)


def encode_routed(record: Routed) -> bytes:
    return _encode(record)


def decode_routed(value: bytes) -> Routed:
    """Raises UndecodableError."""
    try:
        record = _decode(value)
    except msgspec.MsgspecError as error:
        raise UndecodableError(f"not a routed record: {error}") from error
    if record.version != VERSION:
        raise UndecodableError(f"a routed record of version {record.version}, not {VERSION}")
    return record


def entries_of(record: Routed) -> Iterator[tuple[tuple[Entity, str], int, FeatureEvent]]:
    """(entity and key, source offset, event), in the order in which they are to be folded."""
    for offset, names, wire in record.entries:
        event = FeatureEvent.from_wire(wire)
        keys = entity_keys(event)
        for name in names:
            entity = _ENTITIES[name]
            yield (entity, keys[entity]), offset, event
