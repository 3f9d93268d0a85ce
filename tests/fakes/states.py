"""In-memory StateStore, with failures on demand and writes that can be held back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from domain.errors import FencedError, IntegrityError, UnavailableError
from domain.features import CATALOGUE, Entity, EntityState, FeatureEvent, FeatureSet
from domain.features.state import version_of
from eventlog.routing import shard_of
from eventlog.topics import ENTITIES, TRANSACTIONS
from projections.online.port import Marker, Markers, Move, Read, StateReader, greatest

Key = tuple[Entity, str]
Kept = tuple[
    dict[Key, bytes], dict[int, Marker], dict[int, int], dict[int, Move], dict[int, set[Key]]
]


class InMemoryStates:
    """Implements projections.online.port.StateStore. Thread-safe.

    The next `failures` writes fail: every other one after it was done, as when an answer is lost.
    While `gate` is closed, writes of states wait before anything is done; `between` is called
    after the states and before the markers. A `peer` is the connection of another process to the
    same states. `kept` is all of them at a moment, `set_back` a server that comes back with that.
    """

    features: FeatureSet = CATALOGUE

    def __init__(self) -> None:
        self.stored: dict[Key, bytes] = {}
        self.marks: dict[int, Marker] = {}
        self.claims: dict[int, int] = {}
        self.noted: dict[int, Move] = {}
        self.begun: dict[int, set[Key]] = {shard: set() for shard in range(ENTITIES.partitions)}
        self.flagged: set[int] = set()
        self.writes: list[int] = []
        self.failures = 0
        self.between: Callable[[], None] = _nothing
        self.gate = threading.Event()
        self.gate.set()
        self.writing = threading.Event()

    def peer(self) -> InMemoryStates:
        other = InMemoryStates()
        other.stored, other.marks, other.flagged = self.stored, self.marks, self.flagged
        other.claims, other.noted, other.begun = self.claims, self.noted, self.begun
        return other

    def kept(self) -> Kept:
        begun = {shard: set(keys) for shard, keys in self.begun.items()}
        return dict(self.stored), dict(self.marks), dict(self.claims), dict(self.noted), begun

    def set_back(self, kept: Kept) -> None:
        now: list[dict[Any, Any]] = [
            *(self.stored, self.marks, self.claims, self.noted, self.begun)
        ]
        olds: list[dict[Any, Any]] = [*kept]
        for each, before in zip(now, olds, strict=True):
            each.clear()
            each.update(before)

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
        lost = frozenset(key for key in keys if self._is_begun(key) and key not in self.stored)
        return Read(self.features, markers, states, lost)

    def _is_begun(self, key: Key) -> bool:
        begun = self.begun.get(shard_of(*key))
        return begun is None or key in begun

    def save(self, states: Sequence[tuple[EntityState, bytes]], moves: Sequence[Move] = ()) -> None:
        if states:
            self._save_states(states, moves)
        self.between()
        if moves:
            self._mark(moves, noted=bool(states))

    def _save_states(
        self, states: Sequence[tuple[EntityState, bytes]], moves: Sequence[Move]
    ) -> None:
        self.writing.set()
        assert self.gate.wait(10)
        lost = self._fails()
        for state, encoded in states:
            key = state.entity, state.key
            if shard_of(*key) not in self.begun:
                raise IntegrityError("the index of the online states is gone")
            self.begun[shard_of(*key)].add(key)
            ours, theirs = version_of(encoded), version_of(self.stored.get(key, encoded))
            if any(ours.get(source, -1) < at for source, at in theirs.items()):
                raise FencedError(f"the stored state of {key} is newer than ours")
            self.stored[key] = encoded
        self.noted.update({move.shard: move for move in moves})
        self.writes.append(len(states))
        if lost:
            raise UnavailableError("redis", "the answer was lost")

    def markers(self) -> Markers:
        return Markers(dict(self.marks), frozenset(self.flagged))

    def claim(self, nexts: Mapping[int, int], anew: Collection[int] = ()) -> dict[int, int]:
        lost = self._fails()
        for shard, following in nexts.items():
            if shard in anew or shard not in self.begun:
                self.marks.pop(shard, None)
            if shard not in self.marks:
                self.marks[shard], self.begun[shard] = Marker(following), set()
            self.claims[shard] = self.claims.get(shard, 0) + 1
        if lost:
            raise UnavailableError("redis", "the answer was lost")
        return {shard: self.claims[shard] for shard in nexts}

    def sweep(self, cursors: Mapping[int, int]) -> tuple[dict[int, int], list[Key]]:
        begun = [key for shard in cursors for key in sorted(self.begun.get(shard, ()))]
        return dict(cursors), [key for key in begun if key not in self.stored]

    def epochs(self) -> dict[int, int]:
        return dict(self.claims)

    def _mark(self, moves: Sequence[Move], noted: bool) -> None:
        lost = self._fails()
        for move in moves:
            found = self.marks.get(move.shard)
            if self.claims.get(move.shard, 0) != move.epoch:
                raise FencedError(f"another worker has claimed shard {move.shard}")
            if found == move.after:
                continue
            if found is None and move.before is not None:
                raise IntegrityError("the online states have lost their markers")
            if found != move.before or (noted and self.noted.get(move.shard) != move):
                raise FencedError(f"the marker of shard {move.shard} is not what was left")
            self.marks[move.shard] = move.after
        if lost:
            raise UnavailableError("redis", "the answer was lost")

    def rebuilding(self, shard: int, on: bool, epoch: int) -> None:
        if self.claims.get(shard, 0) != epoch:
            raise FencedError(f"another worker has claimed shard {shard}")
        (self.flagged.add if on else self.flagged.discard)(shard)

    def _fails(self) -> bool:
        if not self.failures:
            return False
        self.failures -= 1
        if self.failures % 2:
            return True
        raise UnavailableError("redis", "does not answer")


class InMemoryServing:
    """Implements projections.online.port.ServingStates, for the process called `name`.

    `board` is what all processes have told, by name.
    """

    def __init__(
        self, states: StateReader, name: str = "", board: dict[str, dict[int, int]] | None = None
    ) -> None:
        self._states, self._name = states, name
        self._board = {} if board is None else board

    async def read(self, keys: Sequence[Key]) -> Read:
        return replace(self._states.read(keys), answered=greatest(self._board.values()))

    async def answered(self, positions: Mapping[int, int]) -> None:
        self._board[self._name] = dict(positions)

    def markers(self) -> Markers:
        return self._states.markers()


class NoTail:
    """Of a process that has read nothing: its own tail."""

    @property
    def tail(self) -> NoTail:
        return self

    async def reached(self, positions: Mapping[int, int]) -> None:
        assert not positions

    def starts(self) -> list[int]:
        return [0] * TRANSACTIONS.partitions

    def ends(self) -> list[int]:
        return [0] * TRANSACTIONS.partitions

    def entries(self, entity: str, key: str) -> list[tuple[int, int, FeatureEvent]]:
        return []


def _nothing() -> None:
    return
