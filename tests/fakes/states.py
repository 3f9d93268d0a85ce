"""In-memory StateStore, with failures on demand and writes that can be held back."""

import threading
from collections.abc import Sequence

from domain.errors import FencedError, IntegrityError, UnavailableError
from domain.features import CATALOGUE, Entity, EntityState, FeatureEvent, FeatureSet
from domain.features.state import version_of
from eventlog.topics import TRANSACTIONS
from projections.online.port import Marker, Markers, Read

Key = tuple[Entity, str]


class InMemoryStates:
    """Implements projections.online.port.StateStore. Thread-safe.

    The next `failures` writes fail: every other one after it was done, as when an answer is lost.
    While `gate` is closed, writes of states wait before anything is done.
    """

    features: FeatureSet = CATALOGUE

    def __init__(self) -> None:
        self.stored: dict[Key, bytes] = {}
        self.marks: dict[int, Marker] = {}
        self.flagged: set[int] = set()
        self.writes: list[int] = []
        self.failures = 0
        self.gate = threading.Event()
        self.gate.set()
        self.writing = threading.Event()

    def adopt(self) -> None:
        return

    def moved(self) -> int | None:
        return None

    def read(self, keys: Sequence[Key]) -> Read:
        markers = self.markers()
        states = [
            EntityState.from_bytes(*key, self.stored[key])
            if key in self.stored
            else EntityState(*key)
            for key in keys
        ]
        return Read(self.features, markers, states)

    def save(self, states: Sequence[tuple[EntityState, bytes]]) -> None:
        self.writing.set()
        assert self.gate.wait(10)
        lost = self._fails()
        for state, encoded in states:
            key = state.entity, state.key
            ours, theirs = version_of(encoded), version_of(self.stored.get(key, encoded))
            if any(ours.get(source, -1) < at for source, at in theirs.items()):
                raise FencedError(f"the stored state of {key} is newer than ours")
            self.stored[key] = encoded
        self.writes.append(len(states))
        if lost:
            raise UnavailableError("redis", "the answer was lost")

    def markers(self) -> Markers:
        return Markers(dict(self.marks), frozenset(self.flagged))

    def mark_all(self, moves: Sequence[tuple[int, Marker | None, Marker]]) -> None:
        lost = self._fails()
        for shard, before, after in moves:
            found = self.marks.get(shard)
            if found is None and before is not None:
                raise IntegrityError("the online states have lost their markers")
            if found not in (before, after):
                raise FencedError(f"another worker writes the states of shard {shard}")
            self.marks[shard] = after
        if lost:
            raise UnavailableError("redis", "the answer was lost")

    def rebuilding(self, shard: int, on: bool) -> None:
        (self.flagged.add if on else self.flagged.discard)(shard)

    def _fails(self) -> bool:
        if not self.failures:
            return False
        self.failures -= 1
        if self.failures % 2:
            return True
        raise UnavailableError("redis", "does not answer")


class NoTail:
    """The tail of a process that has read nothing."""

    def starts(self) -> list[int]:
        return [0] * TRANSACTIONS.partitions

    def ends(self) -> list[int]:
        return [0] * TRANSACTIONS.partitions

    def entries(self, entity: str, key: str) -> list[tuple[int, int, FeatureEvent]]:
        return []
