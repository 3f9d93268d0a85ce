"""Ports of the online states: reader, store, recent tail, and the markers of how far they go.

Generations of the states are in generations.py.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
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

    def reaches(self, other: Marker) -> bool:
        """True where all that the other says is said here too."""
        return self.next >= other.next and all(
            self.covers(source) >= at for source, at in other.last.items()
        )

    def to_text(self) -> str:
        return f"{self.next}|{version_text(self.last)}"

    @classmethod
    def from_text(cls, text: str) -> Marker:
        """Reads what `to_text` wrote."""
        following, _, versions = text.partition("|")
        return cls(int(following), version_of_text(versions))


@dataclass(frozen=True, slots=True)
class Move:
    """One step of a shard's marker; `before` is None where there is none.

    `epoch` is the writer's own, from `StateStore.claim`; 0 where no writer has claimed the shard.
    """

    shard: int
    before: Marker | None
    after: Marker
    epoch: int = 0


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
    """States read together, their feature set, and the markers read before them.

    `lost` are those of the keys whose state was begun and is gone: it is read as an empty one, and
    covers nothing. `answered` tells per source partition the greatest offset at which a decision
    was answered.
    """

    features: FeatureSet
    markers: Markers
    states: list[EntityState]
    lost: frozenset[tuple[Entity, str]] = frozenset()
    answered: Mapping[int, int] = field(default_factory=dict)


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


class ServingStates(Protocol):
    """The live online states for a process that decides: it waits without blocking its event loop.

    Raises UnavailableError, within its timeout.
    """

    async def read(self, keys: Sequence[tuple[Entity, str]]) -> Read:
        """As ReadStates, with what any process had answered by the time of the call."""
        ...

    async def answered(self, positions: Mapping[int, int]) -> None:
        """Tells all readers up to where this process has answered, by source partition."""
        ...

    def markers(self) -> Markers:
        """As StateReader.markers: blocking, for a thread."""
        ...


class RecentTail(Protocol):
    """The part of the log that this process has read itself: see commands.ports.RecentTail."""

    def starts(self) -> Sequence[int]: ...

    def ends(self) -> Sequence[int]: ...

    def entries(self, entity: str, key: str) -> list[tuple[int, int, FeatureEvent]]: ...


class Recent(Protocol):
    """What this process knows of the log: see commands.ports.Recent."""

    @property
    def tail(self) -> RecentTail: ...

    async def reached(self, positions: Mapping[int, int]) -> None: ...


class StateStore(StateReader, Protocol):
    """The online states of one keyspace, for one writer. Blocking. Raises UnavailableError.

    A state is never replaced by one that does not cover all that the stored one covers, whoever
    writes: repeating a write is harmless, and one that arrives late never takes anything away. A
    marker is moved only by the writer that claimed its shard last, and only from where it left it.

    Each shard has an index of the states that were begun since its marker covered nothing. So one
    that is removed while its marker stays is not taken for that of an entity never seen.
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

    def claim(self, nexts: Mapping[int, int], anew: Collection[int] = ()) -> dict[int, int]:
        """Takes these shards over, one atomic step each; returns a new epoch for each.

        From then on the moves of whoever claimed a shard before are refused. A shard that is in
        `anew`, or lacks its marker or index, gets an empty index and a marker that covers nothing
        and goes on at the given offset. Read the markers after it. Claiming again is harmless.
        Raises IntegrityError where the keyspace is gone.
        """
        ...

    def sweep(self, cursors: Mapping[int, int]) -> tuple[dict[int, int], list[tuple[Entity, str]]]:
        """Looks whether states are there that were begun: some of each shard, from its cursor on.

        Cursors are 0 at first; returns those to go on from, and whose states are gone.
        """
        ...

    def epochs(self) -> dict[int, int]:
        """Per shard the epoch of the claim that counts; shards never claimed are missing."""
        ...

    def save(self, states: Sequence[tuple[EntityState, bytes]], moves: Sequence[Move] = ()) -> None:
        """Stores the bytes of each state, then moves the markers that these states let move.

        A state itself may be folded on meanwhile. Raises FencedError where a stored state knows
        more, another epoch is stored, or a marker that is not `before`; also where the store has
        come back older between states and markers. Raises IntegrityError where the keyspace, a
        marker or an index is gone. What was written before that stays; a marker never says more
        than the states hold.
        """
        ...

    def rebuilding(self, shard: int, on: bool, epoch: int) -> None:
        """While it is on, readers flag each vector of the shard as incomplete.

        Raises FencedError where another epoch is stored, IntegrityError where the keyspace is gone.
        """
        ...


def greatest(told: Iterable[Mapping[int, int]]) -> dict[int, int]:
    """By partition the greatest offset that any of them names."""
    found: dict[int, int] = {}
    for positions in told:
        for partition, offset in positions.items():
            found[partition] = max(offset, found.get(partition, offset))
    return found


def version_text(versions: Mapping[int, int]) -> str:
    """`partition:offset,…` by partition: plain text, since scripts compare it inside the store."""
    return ",".join(f"{partition}:{versions[partition]}" for partition in sorted(versions))


def version_of_text(text: str) -> dict[int, int]:
    """Reads what `version_text` wrote."""
    pairs = (pair.split(":") for pair in text.split(",") if pair)
    return {int(partition): int(offset) for partition, offset in pairs}
