"""Owns the StateStore over Feast's online store; how states lie in Redis is not its own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from feast.infra.key_encoding_utils import serialize_entity_key
from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.protos.feast.types.Value_pb2 import Value

from domain.errors import FencedError, IntegrityError
from domain.features import CATALOGUE, Entity, EntityState
from domain.features.entities import FIELDS, key_parts
from domain.times import to_datetime
from feature_repo.names import state_view
from projections.adapters.feast_store import VersionedRedisOnlineStore
from projections.adapters.state_layout import LOST, REFUSED
from projections.feature_state import Marker, Markers

if TYPE_CHECKING:
    from feast import RepoConfig

# As in feature_store.yaml.
_KEY_VERSION = 3


class FeastStateStore:
    """Implements projections.feature_state.StateStore. Thread-safe for different entities."""

    def __init__(self, config: RepoConfig) -> None:
        self._config = config
        self._store = VersionedRedisOnlineStore()

    def adopt(self) -> str:
        """Returns the name of the keyspace."""
        return self._store.adopt(self._config, CATALOGUE.hash)

    def load(self, keys: Sequence[tuple[Entity, str]]) -> list[EntityState]:
        return self.read(keys)[1]

    def read(self, keys: Sequence[tuple[Entity, str]]) -> tuple[Markers, list[EntityState]]:
        """As `load`, with the markers as of before: each state covers what its marker says."""
        wanted = [(state_view(entity), address(entity, key)) for entity, key in keys]
        markers, found = self._store.read_states(self._config, wanted)
        return markers, [
            EntityState(entity, key) if data is None else EntityState.from_bytes(entity, key, data)
            for (entity, key), data in zip(keys, found, strict=True)
        ]

    def save(self, states: Sequence[tuple[EntityState, bytes]]) -> None:
        by_entity: dict[Entity, list[tuple[EntityState, bytes]]] = {}
        for state, encoded in states:
            by_entity.setdefault(state.entity, []).append((state, encoded))
        for entity, group in by_entity.items():
            rows = [
                (address(entity, state.key), encoded, state.version, _as_of(state))
                for state, encoded in group
            ]
            answers = self._store.write_states(self._config, state_view(entity), rows)
            if REFUSED in answers:
                key = group[answers.index(REFUSED)][0].key
                raise FencedError(f"the stored state of {entity} {key!r} is newer than ours")

    def markers(self) -> Markers:
        return self._store.markers(self._config)

    def mark(self, share: int, before: Marker | None, after: Marker) -> None:
        answer = self._store.mark(self._config, share, before, after)
        if answer == LOST:
            raise IntegrityError(
                f"the online states have lost the marker of share {share}: they are rebuilt from "
                "the log when the worker starts anew"
            )
        if answer == REFUSED:
            raise FencedError(f"another worker writes the states of share {share}")

    def rebuilding(self, share: int, on: bool) -> None:
        self._store.flag_rebuilding(self._config, share, on)


@lru_cache(maxsize=1 << 16)
def address(entity: Entity, key: str) -> bytes:
    """An entity's key as Feast lays it out, without the keyspace."""
    parts = [Value(string_val=part) for part in key_parts(entity, key)]
    value = EntityKey(join_keys=list(FIELDS[entity]), entity_values=parts)
    serialized: bytes = serialize_entity_key(value, _KEY_VERSION)
    return serialized


def _as_of(state: EntityState) -> datetime:
    seen = state.inspect()
    return to_datetime(max(seen.latest, seen.latest_label, 0))
