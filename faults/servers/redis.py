"""Redis with the online states: atomic writes, and a server that is away, empty or a second back.

What a crash costs is stated by Redis's own page on persistence: with `appendfsync everysec` the
last second of writes. Lua scripts are atomic; an answer that never comes says nothing of the
effect.
"""

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from domain.errors import FencedError, IntegrityError, UnavailableError
from domain.features import CATALOGUE, Entity, EntityState, FeatureSet
from domain.features.state import version_of
from faults.loop.process import Process
from faults.servers.trouble import Trouble
from projections.online.port import Marker, Markers, Move, Read

Key = tuple[Entity, str]
Answer = TypeVar("Answer")
_HOP = 0.002
TIMEOUT_SECONDS = 0.25


@dataclass(slots=True)
class Keyspace:
    """What the server holds."""

    states: dict[Key, bytes] = field(default_factory=dict)
    markers: dict[int, Marker] = field(default_factory=dict)
    epochs: dict[int, int] = field(default_factory=dict)
    noted: dict[int, Move] = field(default_factory=dict)
    flagged: set[int] = field(default_factory=set)
    made: bool = False

    def copy(self) -> "Keyspace":
        return Keyspace(
            copy(self.states),
            copy(self.markers),
            copy(self.epochs),
            copy(self.noted),
            copy(self.flagged),
            self.made,
        )


class RedisServer:
    """One keyspace; `kept` is what the disk has of it, a second old."""

    def __init__(self, trouble: Trouble) -> None:
        self.trouble = trouble
        self.holds = Keyspace()
        self.away_until = 0.0
        self._kept = [Keyspace(), Keyspace()]
        self._keep()

    def go_away(self, seconds: float) -> None:
        self.away_until = self.trouble.loop.time() + seconds

    def crash(self, seconds: float) -> None:
        """Comes back after so long, with what the disk has."""
        self.go_away(seconds)
        self.holds = self._kept[0].copy()

    def _keep(self) -> None:
        self._kept = [self._kept[1], self.holds.copy()]
        self.trouble.loop.call_later(1.0, self._keep)


class SimulatedStates:
    """Implements projections.online.port.StateStore for one process."""

    features: FeatureSet = CATALOGUE

    def __init__(self, server: RedisServer, process: Process) -> None:
        self._server, self._process = server, process

    def adopt(self) -> object:
        return self._asked(self._adopted, effect=True)

    def moved(self) -> int | None:
        return None

    def read(self, keys: Sequence[Key]) -> Read:
        return self._asked(lambda holds: self._read(holds, keys))

    def markers(self) -> Markers:
        return self._asked(_markers_of)

    def claim(self, nexts: Mapping[int, int]) -> dict[int, int]:
        return {
            shard: self._asked(partial(_claim, shard=shard, following=following), effect=True)
            for shard, following in nexts.items()
        }

    def epochs(self) -> dict[int, int]:
        return self._asked(lambda holds: dict(holds.epochs))

    def save(self, states: Sequence[tuple[EntityState, bytes]], moves: Sequence[Move] = ()) -> None:
        # One script for each: a crash may come between two of them.
        for state, encoded in states:
            self._asked(lambda holds, s=state, e=encoded: _save(holds, s, e), effect=True)  # type: ignore[misc]
        if states:
            for move in moves:
                self._asked(lambda holds, m=move: _note(holds, m), effect=True)  # type: ignore[misc]
        for move in moves:
            self._asked(lambda holds, m=move: _mark(holds, m, bool(states)), effect=True)  # type: ignore[misc]

    def rebuilding(self, shard: int, on: bool) -> None:
        self._asked(lambda holds: _flag(holds, shard, on), effect=True)

    def _adopted(self, holds: Keyspace) -> None:
        if not holds.made:
            holds.made = True

    def _read(self, holds: Keyspace, keys: Sequence[Key]) -> Read:
        states = [
            EntityState.from_bytes(*key, holds.states[key])
            if key in holds.states
            else EntityState(*key)
            for key in keys
        ]
        return Read(self.features, _markers_of(holds), states)

    def _asked(self, call: Callable[[Keyspace], Answer], effect: bool = False) -> Answer:
        trouble = self._server.trouble
        self._process.check()
        trouble.loop.block(trouble.delay(_HOP))
        self._process.check()
        if self._server.away_until > trouble.loop.time():
            trouble.met["redis away"] += 1
            trouble.loop.block(TIMEOUT_SECONDS)
            raise UnavailableError("redis", "does not answer")
        answer = call(self._server.holds)
        if effect:
            trouble.done(self._process)
            if trouble.answer_is_lost():
                trouble.loop.block(TIMEOUT_SECONDS)
                raise UnavailableError("redis", "the answer was lost")
        trouble.loop.block(trouble.delay(_HOP))
        return answer


def _markers_of(holds: Keyspace) -> Markers:
    return Markers(dict(holds.markers), frozenset(holds.flagged), holds.made)


def _save(holds: Keyspace, state: EntityState, encoded: bytes) -> None:
    if not holds.made:
        raise IntegrityError("the online states are gone")
    key = state.entity, state.key
    stored = holds.states.get(key)
    if stored is not None:
        ours = version_of(encoded)
        if any(ours.get(source, -1) < at for source, at in version_of(stored).items()):
            raise FencedError(f"the stored state of {key} is newer than ours")
    holds.states[key] = encoded


def _claim(holds: Keyspace, shard: int, following: int) -> int:
    if not holds.made:
        raise IntegrityError("the online states are gone")
    holds.markers.setdefault(shard, Marker(following))
    holds.epochs[shard] = holds.epochs.get(shard, 0) + 1
    return holds.epochs[shard]


def _note(holds: Keyspace, move: Move) -> None:
    holds.noted[move.shard] = move


def _mark(holds: Keyspace, move: Move, noted: bool) -> None:
    found = holds.markers.get(move.shard)
    if not holds.made:
        raise IntegrityError("the online states have lost their markers")
    if holds.epochs.get(move.shard, 0) != move.epoch:
        raise FencedError(f"another worker has claimed shard {move.shard}")
    if found == move.after:
        return
    if found is None and move.before is not None:
        raise IntegrityError("the online states have lost their markers")
    if found != move.before or (noted and holds.noted.get(move.shard) != move):
        raise FencedError(f"the marker of shard {move.shard} is not what was left")
    holds.markers[move.shard] = move.after


def _flag(holds: Keyspace, shard: int, on: bool) -> None:
    if not holds.made:
        raise IntegrityError("the online states are gone")
    (holds.flagged.add if on else holds.flagged.discard)(shard)
