"""Bulk writes and sizes of one generation of states. Live writers use feast_states.py."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from heapq import heappush, heappushpop
from typing import Any

import numpy as np
from feast import RepoConfig
from redis.exceptions import RedisError

from domain.features import Entity
from domain.features.entities import key_parts
from domain.features.state import version_of
from domain.times import to_datetime
from feature_repo.names import state_view
from projections.online.adapters.feast_store import VersionedRedisOnlineStore
from projections.online.adapters.state_keys import address, read_address
from projections.online.adapters.state_layout import (
    away,
    counts_key,
    field_of,
    fields_of,
    space_of,
    stamp_of,
    value_of,
)
from projections.online.port import version_text

_AT_ONCE = 1_000
_SCANNED = 2_000
_FIELDS = 3
_SHOWN = 5


class BulkStates:
    """One generation that nobody reads or writes meanwhile. Raises UnavailableError."""

    def __init__(self, config: RepoConfig, generation: int) -> None:
        space = space_of(config.project, generation)
        self._space, self._counts = space.encode(), counts_key(space)
        self._client: Any = VersionedRedisOnlineStore()._get_client(config.online_store)
        self.sizes = {entity: Sizes(entity) for entity in Entity}

    def write(
        self, entity: Entity, keys: Sequence[str], states: Sequence[bytes], at: int
    ) -> Iterator[int]:
        """Replaces states; `at` is the time stored for Feast. Yields how many were written."""
        stamp = stamp_of(to_datetime(at))
        version, value, time = fields_of(state_view(entity))
        for start in range(0, len(keys), _AT_ONCE):
            some = range(start, min(start + _AT_ONCE, len(keys)))
            try:
                with self._client.pipeline(transaction=False) as pipe:
                    for i in some:
                        state = states[i]
                        text = version_text(version_of(state))
                        items = [version, text, value, value_of(state), time, stamp]
                        pipe.hset(address(entity, keys[i]) + self._space, items=items)
                    new = pipe.execute().count(_FIELDS)
                if new:
                    self._client.hincrby(self._counts, entity.value, new)
            except RedisError as error:
                raise away(error) from error
            yield len(some)

    def measure(self) -> Iterator[int]:
        """Fills `sizes`; yields how many keys were seen. States may be written meanwhile."""
        try:
            counted = self._client.hgetall(self._counts)
            self.sizes = {e: Sizes(e, int(counted.get(e.value.encode(), 0))) for e in Entity}
            # A scan may return a key more than once.
            seen: set[bytes] = set()
            cursor = 0
            while True:
                pattern = b"*" + self._space
                cursor, found = self._client.scan(cursor, match=pattern, count=_SCANNED)
                keys = {key for key in found if not key.startswith(b"retrace:")} - seen
                seen |= keys
                self._measure(list(keys))
                yield len(keys)
                if not cursor:
                    return
        except RedisError as error:
            raise away(error) from error

    def _measure(self, keys: Sequence[bytes]) -> None:
        entities = [read_address(key[: -len(self._space)])[0] for key in keys]
        with self._client.pipeline(transaction=False) as pipe:
            for entity, key in zip(entities, keys, strict=True):
                pipe.hstrlen(key, field_of(state_view(entity)))
            lengths = pipe.execute()
        for entity, key, length in zip(entities, keys, lengths, strict=True):
            if length:
                self.sizes[entity].add(key, length)

    def name_of(self, key: bytes) -> str:
        """The ids in a stored key."""
        entity, name = read_address(key[: -len(self._space)])
        return " ".join(key_parts(entity, name))


@dataclass(slots=True)
class Sizes:
    """The bytes of the states of one kind of entity, and how many of them were ever begun."""

    entity: Entity
    counted: int = 0
    lengths: list[int] = field(default_factory=list)
    greatest: list[tuple[int, bytes]] = field(default_factory=list)

    @property
    def lost(self) -> int:
        """States that were begun and are not there any more: evicted, or removed by hand."""
        return max(0, self.counted - len(self.lengths))

    @property
    def largest(self) -> list[tuple[int, bytes]]:
        """(bytes, key) of the greatest few, in falling order."""
        return sorted(self.greatest, reverse=True)

    def add(self, key: bytes, length: int) -> None:
        self.lengths.append(length)
        place = heappushpop if len(self.greatest) == _SHOWN else heappush
        place(self.greatest, (length, key))

    def quantile(self, fraction: float) -> int:
        return int(np.quantile(self.lengths, fraction)) if self.lengths else 0
