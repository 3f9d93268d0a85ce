"""Owns Generations in Redis: a hash per generation, a counter, and the pointer to the live one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from feast import RepoConfig
from redis.exceptions import RedisError

from domain.errors import ConflictError, IntegrityError, NotFoundError
from domain.features import FeatureSet
from projections.adapters.feast_store import VersionedRedisOnlineStore
from projections.adapters.state_layout import away, live_key, markers_key, space_of
from projections.generations import Generation

# The counter is never below a generation that is live or described.
_BEGIN = """
local live = tonumber(redis.call('GET', KEYS[1]) or '0')
local used = tonumber(redis.call('GET', KEYS[2]) or '0')
local number = math.max(live, used) + 1
redis.call('SET', KEYS[2], number)
redis.call('HSET', ARGV[1] .. number, 'features', ARGV[2], 'hash', ARGV[3], 'reason', ARGV[4])
return number
"""
_SWAP = """
local live = redis.call('GET', KEYS[1]) or '0'
if live ~= ARGV[1] then return tonumber(live) end
redis.call('SET', KEYS[1], ARGV[2])
return -1
"""
_SCANNED = 2_000


class RedisGenerations:
    """Implements projections.generations.Generations."""

    def __init__(self, config: RepoConfig) -> None:
        self._project = config.project
        self._client: Any = VersionedRedisOnlineStore()._get_client(config.online_store)

    def number(self) -> int:
        """Of the live generation, 0 where there is none. Raises UnavailableError."""
        try:
            return int(self._client.get(live_key(self._project)) or 0)
        except RedisError as error:
            raise away(error) from error

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
        if not stored:
            raise NotFoundError("generation of the online states", str(number))
        features = FeatureSet.from_json(stored[b"features"].decode())
        return _generation(number, stored, True, features)

    def adopt(self, declared: FeatureSet) -> Generation:
        number = self.number()
        if number:
            try:
                return self.of(number)
            except (NotFoundError, IntegrityError):
                # Of a version before or after ours: its states are of no use to us.
                pass
        made = self.begin(declared, "nothing that this version can compute was live")
        try:
            self.swap(number, made.number)
        except ConflictError:
            # Another process was quicker: what it made live is adopted.
            self.drop(made.number)
            return self.adopt(declared)
        return self.of(made.number)

    def begin(self, features: FeatureSet, reason: str) -> Generation:
        described = f"retrace:generation:{self._project}.g"
        counter = f"retrace:generations:{self._project}"
        keys = (live_key(self._project), counter)
        values = (described, features.to_json(), features.hash, reason)
        number = int(self._eval(_BEGIN, *keys, *values))
        return Generation(number, features.hash, reason, False, features)

    def swap(self, before: int, after: int) -> None:
        keys = (live_key(self._project), "unused")
        found = int(self._eval(_SWAP, *keys, before, after))
        if found != -1:
            raise ConflictError(
                str(after), f"generation {found} of the online states is live, not {before}"
            )

    def drop(self, number: int) -> int:
        if number == self.number():
            raise ConflictError(str(number), f"generation {number} is live")
        suffix = space_of(self._project, number)
        removed, cursor = 0, 0
        try:
            while True:
                cursor, keys = self._client.scan(cursor, match=f"*{suffix}", count=_SCANNED)
                mine = [key for key in keys if key.endswith(suffix.encode())]
                if mine:
                    removed += self._client.unlink(*mine)
                if not cursor:
                    break
            self._client.unlink(markers_key(suffix), self._described(number))
        except RedisError as error:
            raise away(error) from error
        return removed

    def all(self) -> list[Generation]:
        live = self.number()
        try:
            names = list(self._client.scan_iter(match=f"{self._described('*')}", count=_SCANNED))
            found = {int(n.rpartition(b".g")[2]): self._client.hgetall(n) for n in names}
        except RedisError as error:
            raise away(error) from error
        return [
            _generation(number, stored, number == live, _readable(stored))
            for number, stored in sorted(found.items())
        ]

    def _described(self, number: int | str) -> str:
        return f"retrace:generation:{self._project}.g{number}"

    def _eval(self, script: str, one: str, two: str, *values: object) -> Any:
        try:
            return self._client.eval(script, 2, one, two, *values)
        except RedisError as error:
            raise away(error) from error


def _generation(
    number: int, stored: Mapping[bytes, bytes], live: bool, features: FeatureSet | None
) -> Generation:
    return Generation(number, stored[b"hash"].decode(), stored[b"reason"].decode(), live, features)


def _readable(stored: Mapping[bytes, bytes]) -> FeatureSet | None:
    try:
        return FeatureSet.from_json(stored[b"features"].decode())
    except IntegrityError:
        return None
