"""Owns the port of the online states and the marker of how far they go; knows no store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from domain.features import Entity, EntityState, FeatureSet

NOTHING = -1


@dataclass(frozen=True, slots=True)
class Marker:
    """How far one share of the entities (an ENTITIES partition) has come.

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
    """The markers of a keyspace by share, and the shares that are being rebuilt.

    `made` is False where the keyspace was never begun, or is gone: its states say nothing.
    """

    at: Mapping[int, Marker]
    rebuilding: frozenset[int]
    made: bool = True

    def covered(self, sources: int, shares: int) -> dict[int, int]:
        """Per source partition the last offset that every share covers."""
        nothing = Marker()
        return {
            source: min(self.at.get(share, nothing).covers(source) for share in range(shares))
            for source in range(sources)
        }


@dataclass(frozen=True, slots=True)
class Read:
    """States as read together, the set of features that they are of, and the markers before."""

    features: FeatureSet
    markers: Markers
    states: list[EntityState]


class StateStore(Protocol):
    """The online states of one keyspace. Blocking. Raises UnavailableError.

    A state is never replaced by one that does not cover all that the stored one covers, whoever
    writes; so repeating a write is harmless, and a writer left behind by a rebalance is refused.
    """

    def adopt(self) -> object:
        """Call first: pins the store to the live keyspace; where there is none one is begun."""
        ...

    @property
    def features(self) -> FeatureSet:
        """The set of features that the keyspace in use is of."""
        ...

    def moved(self) -> int | None:
        """The number of the live keyspace where it is no longer the one in use."""
        ...

    def load(self, keys: Sequence[tuple[Entity, str]]) -> list[EntityState]:
        """One per key, in order; an empty state where none is stored."""
        ...

    def save(self, states: Sequence[tuple[EntityState, bytes]]) -> None:
        """Each state with its bytes, which count: the state may be folded on meanwhile.

        Raises FencedError where a stored state knows more, IntegrityError where the keyspace is
        gone; what was written before that stays.
        """
        ...

    def markers(self) -> Markers:
        """Where every share is, by the keyspace in use."""
        ...

    def mark_all(self, moves: Sequence[tuple[int, Marker | None, Marker]]) -> None:
        """(share, before, after) each. Call after the states that `after` covers are saved.

        Raises FencedError where a stored marker is not `before` (None: there is none), and
        IntegrityError where the store has lost it.
        """
        ...

    def rebuilding(self, share: int, on: bool) -> None:
        """While it is on, readers say on each vector that states are incomplete."""
        ...


def version_text(versions: Mapping[int, int]) -> str:
    """`partition:offset,…` by partition: plain, for it is compared inside the store."""
    return ",".join(f"{partition}:{versions[partition]}" for partition in sorted(versions))
