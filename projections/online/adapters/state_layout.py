"""Layout of the states in Redis: keys, fields, values, markers, and the scripts that write them.

Scripts run inside the server, so a comparison and its write are one step.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from feast import utils
from feast.infra.online_stores.helpers import _mmh3
from feast.protos.feast.types.Value_pb2 import Value as ValueProto
from google.protobuf.timestamp_pb2 import Timestamp  # type: ignore[import-untyped]
from redis.exceptions import NoScriptError, RedisError

from domain.errors import UnavailableError
from domain.features import Entity
from domain.features.state import version_of
from feature_repo.names import state_view
from projections.online.port import Marker, Markers, version_text

LOST, REFUSED, WRITTEN, EQUAL = -1, 0, 1, 2
MADE = b"made"

# KEYS: the state, the markers and the counts of its keyspace. ARGV: the field that counts it, then
# fields and values, the version first. A keyspace that is gone refuses the write.
WRITE = """
if redis.call('HEXISTS', KEYS[2], 'made') == 0 then return -1 end
local stored = redis.call('HGET', KEYS[1], ARGV[2])
if stored then
  if stored == ARGV[3] then return 2 end
  local offered = {}
  for p, o in string.gmatch(ARGV[3], '(%d+):(%d+)') do offered[p] = tonumber(o) end
  for p, o in string.gmatch(stored, '(%d+):(%d+)') do
    if not offered[p] or offered[p] < tonumber(o) then return 0 end
  end
else
  redis.call('HINCRBY', KEYS[3], ARGV[1], 1)
end
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
return 1
"""
# KEYS: the markers and the writers. ARGV: the shard, and its marker where there is none.
CLAIM = """
if redis.call('HEXISTS', KEYS[1], 'made') == 0 then return -1 end
redis.call('HSETNX', KEYS[1], 'at:' .. ARGV[1], ARGV[2])
return redis.call('HINCRBY', KEYS[2], 'epoch:' .. ARGV[1], 1)
"""
# KEYS: the writers. ARGV: the shard and its move. Sent behind the states of the move: where a
# server that has lost its last writes still has it, it has those states too.
NOTE = """
redis.call('HSET', KEYS[1], 'saved:' .. ARGV[1], ARGV[2])
return 1
"""
# KEYS: the markers and the writers. ARGV: the shard, its markers before and after, the epoch, and
# the move as noted, empty where it is not behind any states.
MARK = """
if redis.call('HEXISTS', KEYS[1], 'made') == 0 then return -1 end
if (redis.call('HGET', KEYS[2], 'epoch:' .. ARGV[1]) or '0') ~= ARGV[4] then return 0 end
local stored = redis.call('HGET', KEYS[1], 'at:' .. ARGV[1]) or ''
if stored == ARGV[3] then return 1 end
if stored ~= ARGV[2] then
  if stored == '' then return -1 end
  return 0
end
if ARGV[5] ~= '' and redis.call('HGET', KEYS[2], 'saved:' .. ARGV[1]) ~= ARGV[5] then return 0 end
redis.call('HSET', KEYS[1], 'at:' .. ARGV[1], ARGV[3])
return 1
"""
FLAG = """
if redis.call('HEXISTS', KEYS[1], 'made') == 0 then return -1 end
if (redis.call('HGET', KEYS[2], 'epoch:' .. ARGV[1]) or '0') ~= ARGV[3] then return 0 end
if ARGV[2] == '1' then redis.call('HSET', KEYS[1], 'rebuilding:' .. ARGV[1], '1')
else redis.call('HDEL', KEYS[1], 'rebuilding:' .. ARGV[1]) end
return 1
"""
KEYS_OF = {WRITE: 3, CLAIM: 2, NOTE: 1, MARK: 2, FLAG: 2}

Call = tuple[str, tuple[Any, ...]]
"""A script, and its keys and arguments."""


class StateRow(NamedTuple):
    """A state to be written; the key is as in state_keys.address."""

    entity: Entity
    key: bytes
    state: bytes
    at: datetime

    def fields(self) -> tuple[str | bytes, ...]:
        """Names and values of the hash that it lies in, its version first."""
        version, state, stamp = fields_of(state_view(self.entity))
        return (
            *(version, version_text(version_of(self.state))),
            *(state, value_of(self.state), stamp, stamp_of(self.at)),
        )


class Scripts:
    """Runs scripts by their digest over whatever client it is given."""

    def __init__(self) -> None:
        self._digests: dict[str, str] = {}

    def run(self, client: Any, calls: Sequence[Call]) -> list[int]:
        """In order, in one round trip. Raises UnavailableError."""
        needed = {script for script, _ in calls}
        try:
            for script in needed - self._digests.keys():
                self._digests[script] = client.script_load(script)
            try:
                return self._evaluate(client, calls)
            except NoScriptError:
                # The server was restarted and has lost the scripts.
                for script in needed:
                    client.script_load(script)
                return self._evaluate(client, calls)
        except RedisError as error:
            raise away(error) from error

    def _evaluate(self, client: Any, calls: Sequence[Call]) -> list[int]:
        with client.pipeline(transaction=False) as pipe:
            for script, call in calls:
                pipe.evalsha(self._digests[script], KEYS_OF[script], *call)
            return [int(answer) for answer in pipe.execute()]


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


def answered_key(project: str) -> str:
    """A hash: by process, up to where in the log it has answered."""
    return f"retrace:answered:{project}"


def generation_key(space: str) -> str:
    """A hash that describes a generation: its features as JSON, their hash, the reason."""
    return f"retrace:generation:{space}"


def space_of(project: str, generation: int | str) -> str:
    """The suffix of all keys of a generation."""
    return f"{project}.g{generation}"


def markers_key(space: str) -> str:
    """A hash: `made` says that the keyspace is there, `at:<shard>` how far each shard has come."""
    return f"retrace:markers:{space}"


def writers_key(space: str) -> str:
    """A hash: `epoch:<shard>` counts the claims of a shard, `saved:<shard>` is its latest move."""
    return f"retrace:writers:{space}"


def counts_key(space: str) -> str:
    """A hash: how many states were ever begun, by kind of entity. None of them is ever removed."""
    return f"retrace:counts:{space}"


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


def stamp_of(moment: datetime) -> bytes:
    stamp = Timestamp()
    stamp.FromDatetime(utils.make_tzaware(moment))
    serialized: bytes = stamp.SerializeToString()
    return serialized


def away(error: RedisError) -> UnavailableError:
    return UnavailableError("redis", str(error) or type(error).__name__)
