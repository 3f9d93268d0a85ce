"""Owns the StateStore over Feast's online store; how states lie in Redis is not its own."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from feast.infra.key_encoding_utils import serialize_entity_key
from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.protos.feast.types.Value_pb2 import Value

from domain.errors import FencedError, IntegrityError
from domain.features import CATALOGUE, Entity, EntityState, FeatureSet
from domain.features.entities import FIELDS, key_parts
from domain.times import to_datetime
from feature_repo.names import state_view
from projections.adapters.feast_store import VersionedRedisOnlineStore
from projections.adapters.redis_generations import RedisGenerations
from projections.adapters.state_layout import LOST, REFUSED
from projections.feature_state import Marker, Markers, Read
from projections.generations import Generation

if TYPE_CHECKING:
    from feast import RepoConfig

logger = logging.getLogger(__name__)

# As in feature_store.yaml.
KEY_VERSION = 3


class FeastStateStore:
    """Implements projections.feature_state.StateStore. Thread-safe for different entities.

    A reader follows the live generation, which it looks up again after `seconds`; `adopt` and `at`
    pin a writer to one.
    """

    def __init__(
        self, config: RepoConfig, *, declared: FeatureSet = CATALOGUE, seconds: float = 0.25
    ) -> None:
        self._config, self._declared, self._seconds = config, declared, seconds
        self._generations = RedisGenerations(config)
        self._pinned: _Keyspace | None = None
        self._fixed: Generation | None = None
        self._followed: tuple[float, _Keyspace] | None = None

    def adopt(self) -> Generation:
        """Pins this store to the live generation, making one where there is none; stays pinned."""
        if self._fixed is not None:
            return self._fixed
        found = self._generations.adopt(self._declared)
        self._pinned = _Keyspace.of(found)
        if found.hash != self._declared.hash:
            logger.warning(
                "the online states are of feature set %s, and %s is declared: `retrace features "
                "rebuild` builds and swaps it", found.hash, self._declared.hash,
            )  # fmt: skip
        return found

    def at(self, generation: Generation) -> FeastStateStore:
        """A store of that generation, live or not."""
        other = FeastStateStore(self._config, declared=self._declared)
        other._pinned, other._fixed = _Keyspace.of(generation), generation
        return other

    @property
    def features(self) -> FeatureSet:
        """Of the keyspace in use. Raises UnavailableError."""
        return self._now().features

    def moved(self) -> int | None:
        """The live generation where that is no longer the one that this store is pinned to."""
        number = self._generations.number()
        pinned = self._pinned
        return number if pinned is not None and number not in (0, pinned.number) else None

    def load(self, keys: Sequence[tuple[Entity, str]]) -> list[EntityState]:
        return self.read(keys).states

    def read(self, keys: Sequence[tuple[Entity, str]]) -> Read:
        """As `load`, with the markers as of before: each state covers what its marker says."""
        space = self._now()
        wanted = [(state_view(entity), address(entity, key)) for entity, key in keys]
        markers, found = space.store.read_states(self._config, wanted)
        states = [
            EntityState(entity, key, space.features)
            if data is None
            else EntityState.from_bytes(entity, key, data, space.features)
            for (entity, key), data in zip(keys, found, strict=True)
        ]
        return Read(space.features, markers, states)

    def _now(self) -> _Keyspace:
        if self._pinned is not None:
            return self._pinned
        followed, now = self._followed, time.monotonic()
        if followed is not None and now - followed[0] < self._seconds:
            return followed[1]
        number = self._generations.number()
        if followed is not None and followed[1].number == number:
            space = followed[1]
        elif number:
            space = _Keyspace.of(self._generations.of(number))
        else:
            # Nothing was ever written: all states are empty.
            space = _Keyspace(1, self._declared, _store(1))
        self._followed = now, space
        return space

    def save(self, states: Sequence[tuple[EntityState, bytes]]) -> None:
        by_entity: dict[Entity, list[tuple[EntityState, bytes]]] = {}
        for state, encoded in states:
            by_entity.setdefault(state.entity, []).append((state, encoded))
        for entity, group in by_entity.items():
            rows = [
                (address(entity, state.key), encoded, state.version, _as_of(state))
                for state, encoded in group
            ]
            answers = self._now().store.write_states(self._config, state_view(entity), rows)
            if REFUSED in answers:
                key = group[answers.index(REFUSED)][0].key
                raise FencedError(f"the stored state of {entity} {key!r} is newer than ours")

    def markers(self) -> Markers:
        return self._now().store.markers(self._config)

    def mark(self, share: int, before: Marker | None, after: Marker) -> None:
        answer = self._now().store.mark(self._config, share, before, after)
        if answer == LOST:
            raise IntegrityError(
                f"the online states have lost the marker of share {share}: they are rebuilt from "
                "the log when the worker starts anew"
            )
        if answer == REFUSED:
            raise FencedError(f"another worker writes the states of share {share}")

    def rebuilding(self, share: int, on: bool) -> None:
        self._now().store.flag_rebuilding(self._config, share, on)


@dataclass(frozen=True, slots=True)
class _Keyspace:
    """A generation, with a store of its own: a read never mixes two of them."""

    number: int
    features: FeatureSet
    store: VersionedRedisOnlineStore

    @classmethod
    def of(cls, generation: Generation) -> _Keyspace:
        if generation.features is None:
            raise IntegrityError(
                f"generation {generation.number} of the online states was made by another version "
                "of Retrace, which computes other features"
            )
        return cls(generation.number, generation.features, _store(generation.number))


def _store(number: int) -> VersionedRedisOnlineStore:
    store = VersionedRedisOnlineStore()
    store.generation = number
    return store


def address(entity: Entity, key: str) -> bytes:
    """An entity's key as Feast lays it out, without the keyspace."""
    head, kind = _layout(entity)
    parts = [part.encode() for part in key_parts(entity, key)]
    return head + b"".join([kind + len(part).to_bytes(4, "little") + part for part in parts])


@lru_cache(maxsize=64)
def _layout(entity: Entity) -> tuple[bytes, bytes]:
    """What Feast writes before the values of a key, and before the length of each of them."""
    names = FIELDS[entity]
    assert list(names) == sorted(names), "Feast sorts the join keys of a view"
    blank = EntityKey(join_keys=list(names), entity_values=[Value(string_val="")] * len(names))
    whole: bytes = serialize_entity_key(blank, KEY_VERSION)
    each = len(whole) - 8 * len(names)
    return whole[:each], whole[-8:-4]


def _as_of(state: EntityState) -> datetime:
    seen = state.inspect()
    return to_datetime(max(seen.latest, seen.latest_label, 0))
