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
from eventlog.routing import shard_of
from eventlog.topics import ENTITIES
from feature_repo.names import state_view
from projections.online.adapters.feast_store import VersionedRedisOnlineStore
from projections.online.adapters.state_keys import address, read_address
from projections.online.adapters.state_layout import (
    MADE,
    away,
    field_of,
    fields_of,
    index_key,
    space_of,
    stamp_of,
    value_of,
)
from projections.online.port import version_text

_AT_ONCE = 1_000
_SCANNED = 2_000
_SHOWN = 5


class BulkStates:
    """One generation that nobody reads or writes meanwhile. Raises UnavailableError."""

    def __init__(self, config: RepoConfig, generation: int) -> None:
        space = space_of(config.project, generation)
        self._space = space.encode()
        self._indexes = [index_key(space, shard) for shard in range(ENTITIES.partitions)]
        self._client: Any = VersionedRedisOnlineStore()._get_client(config.online_store)
        self.sizes = {entity: Sizes(entity) for entity in Entity}

    def write(
        self, entity: Entity, keys: Sequence[str], states: Sequence[bytes], at: int
    ) -> Iterator[int]:
        """Replaces states; `at` is the time stored for Feast. Yields how many were written."""
        stamp = stamp_of(at)
        version, value, time = fields_of(state_view(entity))
        for start in range(0, len(keys), _AT_ONCE):
            some = range(start, min(start + _AT_ONCE, len(keys)))
            try:
                with self._client.pipeline(transaction=False) as pipe:
                    begun: dict[int, list[bytes]] = {}
                    for i in some:
                        state, at_key = states[i], address(entity, keys[i])
                        text = version_text(version_of(state))
                        items = [version, text, value, value_of(state), time, stamp]
                        pipe.hset(at_key + self._space, items=items)
                        begun.setdefault(shard_of(entity, keys[i]), []).append(at_key)
                    for shard, names in begun.items():
                        pipe.sadd(self._indexes[shard], *names)
                    pipe.execute()
            except RedisError as error:
                raise away(error) from error
            yield len(some)

    def measure(self) -> Iterator[int]:
        """Fills `sizes` by the indexes; yields how many states were looked for.

        States may be written meanwhile.
        """
        self.sizes = {entity: Sizes(entity) for entity in Entity}
        try:
            for index in self._indexes:
                # A scan may return a name more than once.
                seen, cursor = {MADE}, 0
                while True:
                    cursor, found = self._client.sscan(index, cursor, count=_SCANNED)
                    names = set(found) - seen
                    seen |= names
                    self._measure(list(names))
                    yield len(names)
                    if not cursor:
                        break
        except RedisError as error:
            raise away(error) from error

    def _measure(self, names: Sequence[bytes]) -> None:
        entities = [read_address(name)[0] for name in names]
        with self._client.pipeline(transaction=False) as pipe:
            for entity, name in zip(entities, names, strict=True):
                pipe.hstrlen(name + self._space, field_of(state_view(entity)))
            lengths = pipe.execute()
        for entity, name, length in zip(entities, names, lengths, strict=True):
            self.sizes[entity].add(name, length)

    def name_of(self, name: bytes) -> str:
        """The ids in the address of a state."""
        entity, key = read_address(name)
        return " ".join(key_parts(entity, key))


@dataclass(slots=True)
class Sizes:
    """The bytes of the states of one kind of entity.

    `lost` were begun and are not there any more: evicted, or removed by hand.
    """

    entity: Entity
    lost: int = 0
    lengths: list[int] = field(default_factory=list)
    greatest: list[tuple[int, bytes]] = field(default_factory=list)

    @property
    def largest(self) -> list[tuple[int, bytes]]:
        """(bytes, address) of the greatest few, in falling order."""
        return sorted(self.greatest, reverse=True)

    def add(self, name: bytes, length: int) -> None:
        """A state that is gone has no length."""
        if not length:
            self.lost += 1
            return
        self.lengths.append(length)
        place = heappushpop if len(self.greatest) == _SHOWN else heappush
        place(self.greatest, (length, name))

    def quantile(self, fraction: float) -> int:
        return int(np.quantile(self.lengths, fraction)) if self.lengths else 0
