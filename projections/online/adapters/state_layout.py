"""Layout of the states in Redis: keys, fields, values, markers and indexes."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from feast.infra.online_stores.helpers import _mmh3
from feast.protos.feast.types.Value_pb2 import Value as ValueProto
from google.protobuf.timestamp_pb2 import Timestamp  # type: ignore[import-untyped]
from redis.exceptions import RedisError

from domain.errors import UnavailableError
from domain.features import Entity
from domain.features.rows import row_of_bytes
from domain.features.state import Head
from domain.times import SECOND
from eventlog.routing import shards_of
from feature_repo.names import state_view
from projections.online.port import Marker, Markers, Recents, version_text

MADE = b"made"
FIELDS = 3
"""Of a state: its version, its bytes and its time."""

Key = tuple[Entity, str]


class StateRow(NamedTuple):
    """A state to be written."""

    entity: Entity
    key: str
    state: bytes

    def fields(self, head: Head) -> tuple[str | bytes, ...]:
        """Names and values of the hash that it lies in, its version first; `head` is its own."""
        version, state, stamp = fields_of(state_view(self.entity))
        return (
            *(version, version_text(head.version)),
            *(state, value_of(self.state), stamp, stamp_of(head.latest)),
        )


def markers_of(stored: Mapping[bytes, bytes]) -> Markers:
    at, rebuilding = {}, set()
    for name, value in stored.items():
        kind, _, shard = name.decode().rpartition(":")
        if kind == "at":
            at[int(shard)] = Marker.from_text(value.decode())
        elif kind == "rebuilding":
            rebuilding.add(int(shard))
    return Markers(at, frozenset(rebuilding), MADE in stored)


def live_key(project: str) -> str:
    """Holds the number of the live generation."""
    return f"retrace:live:{project}"


def generation_key(space: str) -> str:
    """A hash that describes a generation: its features as JSON, their hash, the reason."""
    return f"retrace:generation:{space}"


def space_of(project: str, generation: int | str) -> str:
    """The suffix of all keys of a generation."""
    return f"{project}.g{generation}"


def markers_key(space: str) -> str:
    """A hash: `made` says that the keyspace is there, `at:<shard>` how far each shard has come."""
    return f"retrace:markers:{space}"


def members_key(project: str) -> str:
    """A hash: per process that decides, until when it vouches, by the server's clock."""
    return f"retrace:members:{project}"


def writers_key(space: str) -> str:
    """A hash: `epoch:<shard>` counts the claims of a shard, `saved:<shard>` is its latest move."""
    return f"retrace:writers:{space}"


@lru_cache(maxsize=64)
def begun_key(space: str) -> str:
    """What the indexes of a generation begin with; the shard follows."""
    return f"retrace:begun:{space}"


def index_key(space: str, shard: int) -> str:
    """A set: the addresses of the shard's states that were begun, and `made` while it is whole."""
    return f"{begun_key(space)}:{shard}"


class Indexed:
    """What the indexes say of some keys: asked before markers and states, for all of them go on.

    `asked` are the index of each shard concerned and its names, `made` the first of them.
    """

    __slots__ = ("_keys", "_places", "asked")

    def __init__(self, space: str, keys: Sequence[Key], addresses: Sequence[bytes]) -> None:
        names: dict[int, tuple[int, list[bytes]]] = {}
        # Per key, which index was asked, and which of its answers is the key's.
        self._keys, self._places = keys, list[tuple[int, int]]()
        for shard, address in zip(shards_of(keys), addresses, strict=True):
            if shard not in names:
                names[shard] = len(names), [MADE]
            number, some = names[shard]
            self._places.append((number, len(some)))
            some.append(address)
        self.asked = [(index_key(space, shard), some) for shard, (_, some) in names.items()]

    def lost(self, told: Sequence[Sequence[int]], stored: Sequence[object]) -> frozenset[Key]:
        """The keys without a state that was begun. Where the index is gone, it may have been."""
        return frozenset(
            key
            for key, value, (number, place) in zip(self._keys, stored, self._places, strict=True)
            if value is None and (told[number][place] or not told[number][0])
        )


@lru_cache(maxsize=64)
def fields_of(view: str) -> tuple[str, bytes, str]:
    """The fields of the version, of the state (the feature of the view's name) and of the time."""
    return f"_ver:{view}", field_of(view), f"_ts:{view}"


@lru_cache(maxsize=64)
def field_of(view: str) -> bytes:
    hashed: bytes = _mmh3(f"{view}:{view}")
    return hashed


def value_of(state: bytes) -> bytes:
    value: bytes = ValueProto(bytes_val=state).SerializeToString()
    return value


def state_of(value: bytes) -> bytes:
    """The reverse of `value_of`."""
    state: bytes = ValueProto.FromString(value).bytes_val
    return state


def recents_of(stored: Mapping[bytes, bytes]) -> Recents:
    """Of the fields of a state. Raises IntegrityError for events of another version of Retrace."""
    rows, cut = [], {}
    for name, value in stored.items():
        if name[:1] == b"+":
            rows.append(row_of_bytes(value))
        elif name[:1] == b"-":
            cut[int(name[1:])] = int(value)
    return Recents(tuple(sorted(rows)), cut)


def stamp_of(moment: int) -> bytes:
    """Of microseconds UTC."""
    seconds, rest = divmod(moment, SECOND)
    serialized: bytes = Timestamp(seconds=seconds, nanos=rest * 1000).SerializeToString()
    return serialized


def away(error: RedisError) -> UnavailableError:
    return UnavailableError("redis", str(error) or type(error).__name__)
