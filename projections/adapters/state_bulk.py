"""Owns writing and measuring a whole keyspace of states at once; live writers use feast_states."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from feast import RepoConfig
from feast.infra.key_encoding_utils import deserialize_entity_key
from redis.exceptions import RedisError

from domain.features import Entity
from domain.features.state import version_of
from domain.times import to_datetime
from feature_repo.names import state_view
from projections.adapters.feast_states import KEY_VERSION, address
from projections.adapters.feast_store import VersionedRedisOnlineStore
from projections.adapters.state_layout import (
    away,
    field_of,
    space_of,
    stamp_of,
    value_of,
)
from projections.feature_state import version_text

_AT_ONCE = 1_000
_SCANNED = 2_000


class BulkStates:
    """One generation that nobody reads or writes meanwhile. Raises UnavailableError."""

    def __init__(self, config: RepoConfig, generation: int) -> None:
        self._space = space_of(config.project, generation).encode()
        self._client: Any = VersionedRedisOnlineStore()._get_client(config.online_store)

    def write(
        self, entity: Entity, keys: Sequence[str], states: Sequence[bytes], at: int
    ) -> Iterator[int]:
        """Replaces states; `at` is the time that Feast is told. Yields how many were written."""
        view, stamp = state_view(entity), stamp_of(to_datetime(at))
        names = (f"_ver:{view}", field_of(view), f"_ts:{view}")
        for start in range(0, len(keys), _AT_ONCE):
            some = range(start, min(start + _AT_ONCE, len(keys)))
            try:
                with self._client.pipeline(transaction=False) as pipe:
                    for i in some:
                        state = states[i]
                        written = (version_text(version_of(state)), value_of(state), stamp)
                        name = address(entity, keys[i]) + self._space
                        pipe.hset(name, mapping=dict(zip(names, written, strict=True)))
                    pipe.execute()
            except RedisError as error:
                raise away(error) from error
            yield len(some)

    def measure(self) -> Iterator[int]:
        """Fills `sizes`; yields how many keys were seen."""
        self.sizes = {entity: Sizes(entity) for entity in Entity}
        fields = [(entity, field_of(state_view(entity))) for entity in Entity]
        cursor = 0
        try:
            while True:
                pattern = b"*" + self._space
                cursor, found = self._client.scan(cursor, match=pattern, count=_SCANNED)
                keys = [key for key in found if not key.startswith(b"retrace:")]
                with self._client.pipeline(transaction=False) as pipe:
                    for key in keys:
                        for _, name in fields:
                            pipe.hstrlen(key, name)
                    lengths = pipe.execute() if keys else []
                for at, length in enumerate(lengths):
                    if length:
                        self.sizes[fields[at % len(fields)][0]].add(keys[at // len(fields)], length)
                yield len(keys)
                if not cursor:
                    return
        except RedisError as error:
            raise away(error) from error

    def name_of(self, key: bytes) -> str:
        """The ids in a stored key."""
        parts = deserialize_entity_key(key[: -len(self._space)], KEY_VERSION)
        return " ".join(value.string_val for value in parts.entity_values)


@dataclass(slots=True)
class Sizes:
    """The bytes of the states of one kind of entity."""

    entity: Entity
    lengths: list[int] = field(default_factory=list)
    greatest: tuple[int, bytes] = (0, b"")

    def add(self, key: bytes, length: int) -> None:
        self.lengths.append(length)
        if length > self.greatest[0]:
            self.greatest = (length, key)

    def quantile(self, share: float) -> int:
        return int(np.quantile(self.lengths, share)) if self.lengths else 0
