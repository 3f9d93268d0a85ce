"""In-memory StateStore, with failures on demand and writes that can be held back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from domain.errors import FencedError, IntegrityError, UnavailableError
from domain.features import CATALOGUE, Entity, EntityState, FeatureSet
from domain.features.state import Row, version_of
from eventlog.routing import shard_of
from eventlog.topics import ENTITIES
from projections.online.port import Marker, Markers, Move, Read, Recents, StateReader

Key = tuple[Entity, str]
Beside = dict[Key, dict[tuple[int, int], Row | None]]
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
                self.flagged.add(shard)
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
    """Implements projections.online.port.ServingStates; `beside` is what all processes pushed.

    Beside one state lie `most` events; another `life` is a server that may have lost some. `words`
    are until when each process vouches, and `clock` is the server's.
    """

    def __init__(
        self,
        states: StateReader,
        beside: Beside | None = None,
        life: int = 1,
        most: int = 256,
        words: dict[str, int] | None = None,
        name: str = "api",
    ) -> None:
        self._states, self._most, self._name = states, most, name
        self._beside: Beside = {} if beside is None else beside
        self.words: dict[str, int] = {} if words is None else words
        self.connection, self.life, self.clock = 0, life, 0

    async def read(self, keys: Sequence[Key]) -> Read:
        self.connection = self.life
        read = self._states.read(keys)
        recents = [self._recents(state) for state in read.states]
        silent = any(until < self.clock for until in self.words.values())
        return replace(read, recents=recents, silent=silent)

    async def now(self) -> int:
        return self.clock

    async def vouch(self, until: int) -> None:
        self.words[self._name] = until

    async def leave(self) -> None:
        self.words.pop(self._name, None)

    async def push(self, keys: Sequence[Key], row: Row, room: bool) -> None:
        self.connection = self.life
        source, offset = row[:2]
        for key, recent in zip(keys, (await self.read(keys)).recents, strict=True):
            kept = room and len(recent.rows) < self._most
            self._beside.setdefault(key, {})[source, offset] = row if kept else None

    def _recents(self, state: EntityState) -> Recents:
        rows, cut = [], dict[int, int]()
        for (source, offset), row in self._beside.get((state.entity, state.key), {}).items():
            if offset <= state.version.get(source, -1):
                continue
            if row is None:
                cut[source] = max(offset, cut.get(source, -1))
            else:
                rows.append(row)
        return Recents(tuple(sorted(rows)), cut)


async def nothing_yet() -> Sequence[int]:
    """The ends of a log that is empty."""
    return []


def _nothing() -> None:
    return
