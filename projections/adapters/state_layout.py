"""Owns the layout of states in Redis: fields, values, markers, and the scripts that move them.

Scripts run inside the server, so a comparison and its write are one step. It holds no connection
and knows no Feast store.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from feast import utils
from feast.infra.online_stores.helpers import _mmh3
from feast.protos.feast.types.Value_pb2 import Value as ValueProto
from google.protobuf.timestamp_pb2 import Timestamp  # type: ignore[import-untyped]
from redis.exceptions import NoScriptError, RedisError

from domain.errors import UnavailableError
from projections.feature_state import Marker, Markers

Versions = Mapping[int, int]


LOST, REFUSED, WRITTEN, EQUAL = -1, 0, 1, 2

WRITE = """
local stored = redis.call('HGET', KEYS[1], ARGV[1])
if stored then
  if stored == ARGV[2] then return 2 end
  local offered = {}
  for p, o in string.gmatch(ARGV[2], '(%d+):(%d+)') do offered[p] = tonumber(o) end
  for p, o in string.gmatch(stored, '(%d+):(%d+)') do
    if not offered[p] or offered[p] < tonumber(o) then return 0 end
  end
end
redis.call('HSET', KEYS[1], unpack(ARGV))
return 1
"""
MARK = """
local stored = redis.call('HGET', KEYS[1], ARGV[1]) or ''
if stored == ARGV[3] then return 1 end
if stored ~= ARGV[2] then
  if stored == '' then return -1 end
  return 0
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1
"""


class Scripts:
    """Runs scripts by their digest over whatever client it is given."""

    def __init__(self) -> None:
        self._digests: dict[str, str] = {}

    def run(self, client: Any, script: str, calls: Sequence[tuple[Any, ...]]) -> list[int]:
        """One call each, in one round trip. Raises UnavailableError."""
        try:
            digest = self._digest(client, script)
            try:
                return _evaluate(client, digest, calls)
            except NoScriptError:
                # The server was started anew and has forgotten it.
                client.script_load(script)
                return _evaluate(client, digest, calls)
        except RedisError as error:
            raise away(error) from error

    def _digest(self, client: Any, script: str) -> str:
        if script not in self._digests:
            self._digests[script] = client.script_load(script)
        return self._digests[script]


def _evaluate(client: Any, digest: str, calls: Sequence[tuple[Any, ...]]) -> list[int]:
    with client.pipeline(transaction=False) as pipe:
        for call in calls:
            pipe.evalsha(digest, 1, *call)
        return [int(answer) for answer in pipe.execute()]


def markers_of(stored: Mapping[bytes, bytes]) -> Markers:
    at, rebuilding = {}, set()
    for name, value in stored.items():
        kind, _, share = name.decode().rpartition(":")
        if kind == "at":
            at[int(share)] = Marker.from_text(value.decode())
        elif kind == "rebuilding":
            rebuilding.add(int(share))
    return Markers(at, frozenset(rebuilding))


def live_key(project: str) -> str:
    """Holds the number of the live generation."""
    return f"retrace:live:{project}"


def space_of(project: str, generation: int) -> str:
    """The suffix of all keys of a generation."""
    return f"{project}.g{generation}"


def markers_key(space: str) -> str:
    return f"retrace:markers:{space}"


@lru_cache(maxsize=64)
def field_of(view: str) -> bytes:
    hashed: bytes = _mmh3(f"{view}:{view}")
    return hashed


def value_of(state: bytes) -> bytes:
    value: bytes = ValueProto(bytes_val=state).SerializeToString()
    return value


def stamp_of(moment: datetime) -> bytes:
    stamp = Timestamp()
    stamp.FromDatetime(utils.make_tzaware(moment))
    serialized: bytes = stamp.SerializeToString()
    return serialized


def away(error: RedisError) -> UnavailableError:
    return UnavailableError("redis", str(error) or type(error).__name__)
