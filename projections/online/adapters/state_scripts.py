"""Scripts that write the states in Redis, their markers and indexes.

They run inside the server, so a comparison and its write are one step. The layout is in
state_layout.py.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from redis.exceptions import NoScriptError, RedisError

from domain.features.state import heads_of
from eventlog.routing import shards_of
from projections.online.adapters.state_keys import address
from projections.online.adapters.state_layout import (
    FIELDS,
    StateRow,
    away,
    index_key,
    markers_key,
    writers_key,
)
from projections.online.port import Marker, Move

LOST, REFUSED, WRITTEN, EQUAL = -1, 0, 1, 2
# States of each shard: a call keeps the server for some 50 microseconds.
_SWEPT = 100

# KEYS: the state, the markers of its keyspace and the index of its shard. ARGV: its name in the
# index, then fields and values, the version first, then the state. A keyspace that is gone refuses
# the write, and so does an index: whatever is written, it is new to one that is gone. What the
# state holds now leaves the recent events beside it, `+partition:offset`, and cuts, `-partition`.
WRITE = """
if redis.call('HEXISTS', KEYS[2], 'made') == 0 then return -1 end
if redis.call('SADD', KEYS[3], ARGV[1]) == 1 and redis.call('SISMEMBER', KEYS[3], 'made') == 0 then
  redis.call('DEL', KEYS[3])
  return -1
end
local stored, offered = redis.call('HGET', KEYS[1], ARGV[2]), {}
for p, o in string.gmatch(ARGV[3], '(%d+):(%d+)') do offered[p] = tonumber(o) end
if stored and redis.call('HEXISTS', KEYS[1], ARGV[4]) == 1 then
  if stored == ARGV[3] then return 2 end
  for p, o in string.gmatch(stored, '(%d+):(%d+)') do
    if not offered[p] or offered[p] < tonumber(o) then return 0 end
  end
end
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
if redis.call('HLEN', KEYS[1]) > (#ARGV - 1) / 2 then
  for _, name in ipairs(redis.call('HKEYS', KEYS[1])) do
    local p, o = string.match(name, '^%+(%d+):(%d+)$')
    if not p then
      p = string.match(name, '^%-(%d+)$')
      o = p and redis.call('HGET', KEYS[1], name)
    end
    if p and offered[p] and tonumber(o) <= offered[p] then redis.call('HDEL', KEYS[1], name) end
  end
end
return 1
"""
# KEYS: a state. ARGV: the source partition and the offset of an event that is not kept beside it.
CUT = """
redis.call('HDEL', KEYS[1], '+' .. ARGV[1] .. ':' .. ARGV[2])
local cut = redis.call('HGET', KEYS[1], '-' .. ARGV[1])
if not cut or tonumber(cut) < tonumber(ARGV[2]) then
  redis.call('HSET', KEYS[1], '-' .. ARGV[1], ARGV[2])
end
return 1
"""
# KEYS: the markers, the writers and the index of the shard. ARGV: the shard, its marker where there
# is none, and 1 where the one that is there is to go. What begins from nothing is flagged at once.
CLAIM = """
if redis.call('HEXISTS', KEYS[1], 'made') == 0 then return -1 end
local at = 'at:' .. ARGV[1]
if ARGV[3] == '1' or redis.call('SISMEMBER', KEYS[3], 'made') == 0 then
  redis.call('HDEL', KEYS[1], at)
end
if redis.call('HSETNX', KEYS[1], at, ARGV[2]) == 1 then
  redis.call('UNLINK', KEYS[3])
  redis.call('SADD', KEYS[3], 'made')
  redis.call('HSET', KEYS[1], 'rebuilding:' .. ARGV[1], '1')
end
return redis.call('HINCRBY', KEYS[2], 'epoch:' .. ARGV[1], 1)
"""
# KEYS: the index of a shard. ARGV: the cursor, how many to look at, the keyspace, and how many
# fields a whole state has. Returns the next cursor and the names of states that are not whole.
SWEEP = """
local found = redis.call('SSCAN', KEYS[1], ARGV[1], 'COUNT', ARGV[2])
local lost = {found[1]}
for _, name in ipairs(found[2]) do
  if name ~= 'made' then
    local whole = 0
    for _, field in ipairs(redis.call('HKEYS', name .. ARGV[3])) do
      if not string.match(field, '^[+-]') then whole = whole + 1 end
    end
    if whole < tonumber(ARGV[4]) then lost[#lost + 1] = name end
  end
end
return lost
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
KEYS_OF = {WRITE: 3, CLAIM: 3, SWEEP: 1, NOTE: 1, MARK: 2, FLAG: 2}

Call = tuple[str, tuple[Any, ...]]
"""A script, and its keys and arguments."""


def writes(space: str, rows: Sequence[StateRow]) -> list[Call]:
    markers, suffix = markers_key(space), space.encode()
    calls: list[Call] = []
    shards = shards_of([(row.entity, row.key) for row in rows])
    heads = heads_of([row.state for row in rows])
    for row, shard, head in zip(rows, shards, heads, strict=True):
        name = address(row.entity, row.key)
        index = index_key(space, shard)
        calls.append((WRITE, (name + suffix, markers, index, name, *row.fields(head))))
    return calls


def claims(space: str, nexts: Mapping[int, int], anew: Collection[int]) -> list[Call]:
    keys = markers_key(space), writers_key(space)
    return [
        (CLAIM, (*keys, index_key(space, s), s, Marker(at).to_text(), int(s in anew)))
        for s, at in nexts.items()
    ]


def sweeps(space: str, cursors: Mapping[int, int]) -> list[Call]:
    return [
        (SWEEP, (index_key(space, shard), cursor, _SWEPT, space, FIELDS))
        for shard, cursor in cursors.items()
    ]


def notes(space: str, moves: Iterable[Move]) -> list[Call]:
    return [(NOTE, (writers_key(space), move.shard, _noted(move))) for move in moves]


def marks(space: str, moves: Iterable[Move], noted: bool) -> list[Call]:
    keys = markers_key(space), writers_key(space)
    return [
        (MARK, (*keys, move.shard, *_texts(move), move.epoch, _noted(move) if noted else ""))
        for move in moves
    ]


def flag(space: str, shard: int, on: bool, epoch: int) -> Call:
    return FLAG, (markers_key(space), writers_key(space), shard, int(on), epoch)


def _texts(move: Move) -> tuple[str, str]:
    return move.before.to_text() if move.before else "", move.after.to_text()


def _noted(move: Move) -> str:
    return " ".join((str(move.epoch), *_texts(move)))


class Scripts:
    """Runs scripts by their digest over whatever client it is given."""

    def __init__(self) -> None:
        self._digests: dict[str, str] = {}

    def run(self, client: Any, calls: Sequence[Call]) -> list[Any]:
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

    def _evaluate(self, client: Any, calls: Sequence[Call]) -> list[Any]:
        with client.pipeline(transaction=False) as pipe:
            for script, call in calls:
                pipe.evalsha(self._digests[script], KEYS_OF[script], *call)
            answers: list[Any] = pipe.execute()
            return answers
