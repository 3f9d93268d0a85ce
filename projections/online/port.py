"""Ports of the online states: reader, store, recent tail, and the markers of how far they go.

Generations of the states are in generations.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from domain.features import Entity, EntityState, FeatureEvent, FeatureSet

NOTHING = -1


@dataclass(frozen=True, slots=True)
class Marker:
    """How far one shard of the entities (a partition of ENTITIES) has come.

    All its states cover each source partition up to and with `last`; `next` is the offset of the
    next routed record to read.
    """

    next: int = 0
    last: Mapping[int, int] = field(default_factory=dict)

    def covers(self, source: int) -> int:
        return self.last.get(source, NOTHING)

    def to_text(self) -> str:
        return f"{self.next}|{version_text(self.last)}"

    @classmethod
    def from_text(cls, text: str) -> Marker:
        """Reads what `to_text` wrote."""
        following, _, versions = text.partition("|")
        pairs = (pair.split(":") for pair in versions.split(",") if pair)
        return cls(int(following), {int(p): int(o) for p, o in pairs})


@dataclass(frozen=True, slots=True)
class Markers:
    """The markers of a keyspace by shard, and the shards that are being rebuilt.

    `made` is False where the keyspace was never begun, or is gone: its states say nothing.
    """

    at: Mapping[int, Marker]
    rebuilding: frozenset[int]
    made: bool = True

    def covered(self, sources: int, shards: int) -> dict[int, int]:
        """Per source partition the last offset that every shard covers."""
        nothing = Marker()
        return {
            source: min(self.at.get(shard, nothing).covers(source) for shard in range(shards))
            for source in range(sources)
        }


@dataclass(frozen=True, slots=True)
class Read:
    """States read together, their feature set, and the markers read before them."""

    features: FeatureSet
    markers: Markers
    states: list[EntityState]


ReadStates = Callable[[Sequence[tuple[Entity, str]]], Read]
"""One state per key, in order; an empty state where none is stored. Raises UnavailableError."""


class StateReader(Protocol):
    """The live online states. Blocking. Raises UnavailableError, within its timeout."""

    def read(self, keys: Sequence[tuple[Entity, str]]) -> Read:
        """As ReadStates. The markers were read before the states."""
        ...

    def markers(self) -> Markers:
        """Where every shard is, by the keyspace in use."""
        ...


class RecentTail(Protocol):
    """The part of the log that this process has read itself: see commands.ports.RecentTail."""

    def starts(self) -> Sequence[int]: ...

    def ends(self) -> Sequence[int]: ...

    def entries(self, entity: str, key: str) -> list[tuple[int, int, FeatureEvent]]: ...


class StateStore(StateReader, Protocol):
    """The online states of one keyspace, for one writer. Blocking. Raises UnavailableError.

    A state is never replaced by one that does not cover all that the stored one covers, whoever
    writes; so repeating a write is harmless, and a writer left behind by a rebalance is refused.
    """

    def adopt(self) -> object:
        """Call first: pins the store to the live keyspace; where there is none one is begun."""
        ...

    @property
    def features(self) -> FeatureSet:
        """The feature set of the keyspace in use."""
        ...

    def moved(self) -> int | None:
        """The number of the live keyspace where it is no longer the one in use."""
        ...

    def save(self, states: Sequence[tuple[EntityState, bytes]]) -> None:
        """Stores the bytes of each state; the state itself may be folded on meanwhile.

        Raises FencedError where a stored state knows more, IntegrityError where the keyspace is
        gone; what was written before that stays.
        """
        ...

    def mark_all(self, moves: Sequence[tuple[int, Marker | None, Marker]]) -> None:
        """(shard, before, after) each. Call after the states that `after` covers are saved.

        Raises FencedError where a stored marker is not `before` (None: there is none), and
        IntegrityError where the store has lost it.
        """
        ...

    def rebuilding(self, shard: int, on: bool) -> None:
        """While it is on, readers flag each vector of the shard as incomplete."""
        ...


def version_text(versions: Mapping[int, int]) -> str:
    """`partition:offset,…` by partition: plain text, since scripts compare it inside the store."""
    return ",".join(f"{partition}:{versions[partition]}" for partition in sorted(versions))
