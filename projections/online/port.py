"""Ports of the online states: reader, store, recent events, and the markers of how far they go.

Generations of the states are in generations.py.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from domain.features import Entity, EntityState, FeatureSet
from domain.features.state import Row

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
class Recents:
    """Events of an entity that were answered and that its stored state may not hold yet.

    `rows` by rising place, as domain.features.rows makes them. Of the events at or below `cut`, by
    source partition, some may be missing.
    """

    rows: Sequence[Row] = ()
    cut: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Read:
    """States read together, their feature set, and the markers read before them.

    `lost` are those of the keys whose state was begun and is gone: it is read as an empty one, and
    covers nothing. For a process that decides: the recents of each state, read in one step with it,
    and whether a process is `silent`, so that what it answers may be missing.
    """

    features: FeatureSet
    markers: Markers
    states: list[EntityState]
    lost: frozenset[tuple[Entity, str]] = frozenset()
    recents: Sequence[Recents] = ()
    silent: bool = False


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

    @property
    def connection(self) -> int:
        """Another number once the server may have lost what it was told; 0 before any answer."""
        ...

    async def read(self, keys: Sequence[tuple[Entity, str]]) -> Read:
        """As ReadStates, with recents."""
        ...

    async def push(self, keys: Sequence[tuple[Entity, str]], row: Row, room: bool) -> None:
        """Keeps an event beside the states of these entities until they hold it.

        Where there is no `room`, or a state has too many beside it, only its place is kept, as a
        cut.
        """
        ...

    async def now(self) -> int:
        """The time by the server's clock, in microseconds since 1970."""
        ...

    async def vouch(self, until: int) -> None:
        """Says that all which this process answers up to then, by the server's clock, is pushed.

        Once that time is past, reads find it `silent`.
        """
        ...

    async def leave(self) -> None:
        """The process answers nothing more, and is silent by right."""
        ...


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
        and goes on at the given offset, and is flagged as being rebuilt. Read the markers after it.
        Claiming again is harmless. Raises IntegrityError where the keyspace is gone.
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


def version_text(versions: Mapping[int, int]) -> str:
    """`partition:offset,…` by partition: plain text, since scripts compare it inside the store."""
    return ",".join(f"{partition}:{versions[partition]}" for partition in sorted(versions))


def version_of_text(text: str) -> dict[int, int]:
    """Reads what `version_text` wrote."""
    pairs = (pair.split(":") for pair in text.split(",") if pair)
    return {int(partition): int(offset) for partition, offset in pairs}
