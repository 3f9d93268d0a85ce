"""StateStore over Feast's online store, by generation.

The layout in Redis is in state_layout.py.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from domain.errors import FencedError, IntegrityError, NotFoundError, UnavailableError
from domain.features import CATALOGUE, Entity, EntityState, FeatureSet
from projections.online.adapters.feast_store import VersionedRedisOnlineStore
from projections.online.adapters.redis_generations import RedisGenerations
from projections.online.adapters.state_keys import KEY_VERSION, address
from projections.online.adapters.state_layout import Key, StateRow
from projections.online.adapters.state_scripts import LOST, REFUSED
from projections.online.generations import Generation
from projections.online.port import Markers, Move, Read

__all__ = ["KEY_VERSION", "FeastStateStore", "address"]

if TYPE_CHECKING:
    from feast import RepoConfig

logger = logging.getLogger(__name__)


class FeastStateStore:
    """Implements projections.online.port.StateStore. Thread-safe for different entities.

    A reader follows the live generation, which it looks up again after `seconds`; `adopt` and `at`
    pin a writer to one.
    """

    def __init__(
        self, config: RepoConfig, *, declared: FeatureSet = CATALOGUE, seconds: float = 0.25
    ) -> None:
        self._config, self._declared, self._seconds = config, declared, seconds
        self._generations = RedisGenerations(config)
        self._pinned: Keyspace | None = None
        self._fixed: Generation | None = None
        self._followed: tuple[float, Keyspace] | None = None

    def adopt(self) -> Generation:
        """Pins this store to the live generation, making one where there is none; stays pinned."""
        if self._fixed is not None:
            return self._fixed
        found = self._generations.adopt(self._declared)
        self._pinned = Keyspace.of(found)
        if found.hash != self._declared.hash:
            logger.warning(
                "the online states are of feature set %s, and %s is declared: `retrace features "
                "rebuild` builds and swaps it", found.hash, self._declared.hash,
            )  # fmt: skip
        return found

    def at(self, generation: Generation) -> FeastStateStore:
        """A store of that generation, live or not."""
        other = FeastStateStore(self._config, declared=self._declared)
        other._pinned, other._fixed = Keyspace.of(generation), generation
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

    def keyspace(self) -> Keyspace:
        """That in use, looked up anew where this store follows the live one."""
        self._followed = None
        return self._now()

    def read(self, keys: Sequence[tuple[Entity, str]]) -> Read:
        """States with the markers as of before: each state covers what its marker says.

        Where the generation was removed meanwhile, the live one is looked up again, once.
        """
        space = self._now()
        markers, found, lost = self._stored(space, keys)
        if space.number and not markers.made:
            space = self.keyspace()
            markers, found, lost = self._stored(space, keys)
            if space.number and not markers.made:
                raise UnavailableError("redis", f"generation {space.number} was removed, or lost")
        states = [
            EntityState.stored(entity, key, found.get((entity, key)), space.features)
            for entity, key in keys
        ]
        return Read(space.features, markers, states, lost)

    def _stored(
        self, space: Keyspace, keys: Sequence[tuple[Entity, str]]
    ) -> tuple[Markers, dict[Key, bytes | None], frozenset[Key]]:
        """Only of entities that the features of the keyspace ask for: of others none is kept."""
        asked = [key for key in keys if key[0] in space.features.by_entity]
        markers, found, lost = space.store.read_states(self._config, asked)
        return markers, dict(zip(asked, found, strict=True)), lost

    def _now(self) -> Keyspace:
        if self._pinned is not None:
            return self._pinned
        followed, now = self._followed, time.monotonic()
        if followed is not None and now - followed[0] < self._seconds:
            return followed[1]
        number = self._generations.number()
        if followed is not None and followed[1].number == number:
            space = followed[1]
        elif number:
            space = Keyspace.of(self._described(number))
        else:
            # Nothing was ever live: all states are empty.
            space = Keyspace(0, self._declared, _store(0))
        self._followed = now, space
        return space

    def _described(self, number: int) -> Generation:
        try:
            return self._generations.of(number)
        except NotFoundError as error:
            raise UnavailableError("redis", f"{error}, though it is live") from error

    def save(self, states: Sequence[tuple[EntityState, bytes]], moves: Sequence[Move] = ()) -> None:
        space = self._now()
        rows = [StateRow(state.entity, state.key, encoded) for state, encoded in states]
        answers = space.store.write_states(self._config, rows, moves) if rows else []
        if LOST in answers:
            raise _gone()
        if REFUSED in answers:
            refused = states[answers.index(REFUSED)][0]
            raise FencedError(
                f"the stored state of {refused.entity} {refused.key!r} is newer than ours"
            )
        answers = space.store.mark(self._config, moves, noted=bool(rows)) if moves else []
        if LOST in answers:
            raise _gone()
        if REFUSED in answers:
            shard = moves[answers.index(REFUSED)].shard
            raise FencedError(
                f"the marker of shard {shard} of the online states was claimed or moved by another "
                "worker, or Redis has come back with an older one"
            )

    def markers(self) -> Markers:
        return self._now().store.markers(self._config)

    def claim(self, nexts: Mapping[int, int], anew: Collection[int] = ()) -> dict[int, int]:
        epochs = self._now().store.claim(self._config, nexts, anew)
        if LOST in epochs:
            raise _gone()
        return dict(zip(nexts, epochs, strict=True))

    def sweep(self, cursors: Mapping[int, int]) -> tuple[dict[int, int], list[Key]]:
        return self._now().store.sweep(self._config, cursors)

    def epochs(self) -> dict[int, int]:
        return self._now().store.epochs(self._config)

    def rebuilding(self, shard: int, on: bool, epoch: int) -> None:
        answer = self._now().store.flag_rebuilding(self._config, shard, on, epoch)
        if answer == LOST:
            raise _gone()
        if answer == REFUSED:
            raise FencedError(f"another worker has claimed shard {shard} of the online states")


@dataclass(frozen=True, slots=True)
class Keyspace:
    """A generation, with a store of its own: a read never mixes two of them."""

    number: int
    features: FeatureSet
    store: VersionedRedisOnlineStore

    @classmethod
    def of(cls, generation: Generation) -> Keyspace:
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


def _gone() -> IntegrityError:
    return IntegrityError(
        "the online states have lost their markers, or this generation of them was removed: the "
        "worker goes on with the live one, and rebuilds from the log what is missing"
    )
