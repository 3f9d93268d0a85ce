"""Generations in Redis: a hash per generation, a counter, and the pointer to the live one.

Each step is a script, so it happens whole or not at all. A generation whose removal was
interrupted is still listed; removing it again goes on.
"""

from collections.abc import Mapping
from typing import Any

from feast import RepoConfig
from redis.exceptions import RedisError

from domain.errors import ConflictError, IntegrityError, NotFoundError
from domain.features import FeatureSet
from eventlog.topics import ENTITIES
from projections.online.adapters.feast_store import VersionedRedisOnlineStore
from projections.online.adapters.state_layout import (
    away,
    begun_key,
    generation_key,
    index_key,
    live_key,
    markers_key,
    space_of,
    writers_key,
)
from projections.online.generations import Generation

# KEYS: pointer, counter. The counter is never below a generation that is live or described, and a
# keyspace that an earlier version left behind is never used as a new one.
_BEGIN = """
local number = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'),
                        tonumber(redis.call('GET', KEYS[2]) or '0')) + 1
while redis.call('EXISTS', ARGV[2] .. number) == 1 do number = number + 1 end
redis.call('SET', KEYS[2], number)
redis.call('HSET', ARGV[1] .. number, 'features', ARGV[4], 'hash', ARGV[5], 'reason', ARGV[6])
redis.call('HSET', ARGV[2] .. number, 'made', number)
for shard = 0, tonumber(ARGV[7]) - 1 do
  redis.call('SADD', ARGV[8] .. number .. ':' .. shard, 'made')
  if ARGV[3] == '1' then redis.call('HSET', ARGV[2] .. number, 'rebuilding:' .. shard, '1') end
end
return number
"""
# KEYS: pointer, pointer to the one before, markers of what is to be live.
_SWAP = """
if redis.call('HEXISTS', KEYS[3], 'made') == 0 then return -2 end
local live = redis.call('GET', KEYS[1]) or '0'
if live ~= ARGV[1] then return tonumber(live) end
redis.call('SET', KEYS[1], ARGV[2])
redis.call('SET', KEYS[2], ARGV[1])
return -1
"""
# KEYS: pointer, pointer to the one before, description, markers, writers. From here on
# nothing is written to the keyspace, and its readers look the live one up again. A generation that
# was gone back from is not the one to go back to.
_CLOSE = """
local live, before = redis.call('GET', KEYS[1]), redis.call('GET', KEYS[2])
if live == ARGV[1] then return 1 end
if before == ARGV[1] and tonumber(before) < tonumber(live) and ARGV[2] == '0' then return 2 end
if redis.call('EXISTS', KEYS[3]) == 1 then redis.call('HSET', KEYS[3], 'closed', '1') end
redis.call('DEL', KEYS[4], KEYS[5])
return 0
"""
_SCANNED = 2_000


class RedisGenerations:
    """Implements projections.online.generations.Generations."""

    def __init__(self, config: RepoConfig) -> None:
        self._project = config.project
        self._client: Any = VersionedRedisOnlineStore()._get_client(config.online_store)

    def number(self) -> int:
        """Of the live generation, 0 where there is none. Raises UnavailableError."""
        return self._pointer(live_key(self._project))

    def before(self) -> int:
        """Of the generation that was live before, 0 where there is none. Raises UnavailableError"""
        return self._pointer(self._before_key)

    def live(self) -> Generation:
        number = self.number()
        if not number:
            raise NotFoundError("live generation of the online states", self._project)
        return self.of(number)

    def of(self, number: int) -> Generation:
        """Raises NotFoundError, or IntegrityError where this version cannot compute its set."""
        try:
            stored = self._client.hgetall(self._described(number))
        except RedisError as error:
            raise away(error) from error
        if not stored or b"closed" in stored:
            raise NotFoundError("generation of the online states", str(number))
        features = FeatureSet.from_json(stored[b"features"].decode())
        return _generation(number, stored, number == self.number(), features)

    def adopt(self, declared: FeatureSet) -> Generation:
        number = self.number()
        if number:
            try:
                found = self.of(number)
                # Lost markers are made again by the writer, which folds from the beginning.
                self._client.hsetnx(markers_key(self._space(number)), "made", number)
                return found
            except RedisError as error:
                raise away(error) from error
            except (NotFoundError, IntegrityError):
                # Of an earlier or later version: this one cannot use its states.
                pass
        reason = "nothing that this version can compute was live"
        # Flagged before anybody can read it; the writer clears the flags once it has caught up.
        made = self._begin(declared, reason, flagged=True)
        try:
            self.swap(number, made.number)
        except ConflictError:
            # Another process was faster: what it made live is adopted.
            self.drop(made.number)
            return self.adopt(declared)
        return self.of(made.number)

    def begin(self, features: FeatureSet, reason: str) -> Generation:
        return self._begin(features, reason, flagged=False)

    def _begin(self, features: FeatureSet, reason: str, flagged: bool) -> Generation:
        keys = (live_key(self._project), f"retrace:generations:{self._project}")
        prefix = space_of(self._project, "")
        names = (generation_key(prefix), markers_key(prefix))
        values = (int(flagged), features.to_json(), features.hash, reason)
        indexes = (ENTITIES.partitions, begun_key(prefix))
        number = int(self._eval(_BEGIN, keys, *names, *values, *indexes))
        return Generation(number, features.hash, reason, False, features)

    def swap(self, before: int, after: int) -> None:
        keys = (live_key(self._project), self._before_key, markers_key(self._space(after)))
        found = int(self._eval(_SWAP, keys, before, after))
        if found == -2:
            raise NotFoundError("generation of the online states", str(after))
        if found != -1:
            raise ConflictError(
                str(after), f"generation {found} of the online states is live, not {before}"
            )

    def drop(self, number: int, *, force: bool = False) -> int:
        space = self._space(number)
        owned = generation_key(space), markers_key(space), writers_key(space)
        indexes = [index_key(space, shard) for shard in range(ENTITIES.partitions)]
        keys = (live_key(self._project), self._before_key, *owned)
        kept = int(self._eval(_CLOSE, keys, number, int(force)))
        if kept == 1:
            raise ConflictError(str(number), f"generation {number} is live")
        if kept == 2:
            raise ConflictError(
                str(number), f"generation {number} is the one to go back to: removed only by force"
            )
        removed = self._remove(space.encode())
        try:
            self._client.unlink(*owned, *indexes)
        except RedisError as error:
            raise away(error) from error
        return removed

    def all(self) -> list[Generation]:
        live = self.number()
        try:
            names = list(self._client.scan_iter(match=self._described("*"), count=_SCANNED))
            found = {int(n.rpartition(b".g")[2]): self._client.hgetall(n) for n in names}
        except RedisError as error:
            raise away(error) from error
        return [
            _generation(number, stored, number == live, _readable(stored))
            for number, stored in sorted(found.items())
        ]

    def _remove(self, suffix: bytes) -> int:
        removed, cursor = 0, 0
        try:
            while True:
                cursor, keys = self._client.scan(cursor, match=b"*" + suffix, count=_SCANNED)
                mine = [key for key in keys if not key.startswith(b"retrace:")]
                if mine:
                    removed += self._client.unlink(*mine)
                if not cursor:
                    return removed
        except RedisError as error:
            raise away(error) from error

    @property
    def _before_key(self) -> str:
        return f"retrace:before:{self._project}"

    def _space(self, number: int) -> str:
        return space_of(self._project, number)

    def _described(self, number: int | str) -> str:
        return generation_key(space_of(self._project, number))

    def _pointer(self, name: str) -> int:
        try:
            return int(self._client.get(name) or 0)
        except RedisError as error:
            raise away(error) from error

    def _eval(self, script: str, keys: tuple[str, ...], *values: object) -> Any:
        try:
            return self._client.eval(script, len(keys), *keys, *values)
        except RedisError as error:
            raise away(error) from error


def _generation(
    number: int, stored: Mapping[bytes, bytes], live: bool, features: FeatureSet | None
) -> Generation:
    reason = stored[b"reason"].decode()
    if b"closed" in stored:
        reason, features = f"{reason} (removal was cut short)", None
    return Generation(number, stored[b"hash"].decode(), reason, live, features)


def _readable(stored: Mapping[bytes, bytes]) -> FeatureSet | None:
    try:
        return FeatureSet.from_json(stored[b"features"].decode())
    except IntegrityError:
        return None
