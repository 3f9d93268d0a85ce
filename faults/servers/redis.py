"""Redis with the online states: atomic writes, and a server that is away, empty or a second back.

What a crash costs is stated by Redis's own page on persistence: with `appendfsync everysec` the
last second of writes. Lua scripts are atomic; an answer that never comes says nothing of the
effect.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from domain.errors import FencedError, IntegrityError, UnavailableError
from domain.features import CATALOGUE, Entity, EntityState, FeatureSet
from domain.features.state import Row, version_of
from domain.times import SECOND
from eventlog.routing import shard_of
from eventlog.topics import ENTITIES
from faults.loop.process import Process
from faults.servers.trouble import Trouble
from projections.online.port import Marker, Markers, Move, Read, Recents

T = TypeVar("T")
Key = tuple[Entity, str]
_HOP, _STEP = 0.002, 0.0006
_TOGETHER = 0.7  # of the calls of a round trip, those that run right after the one before
TIMEOUT_SECONDS = 0.25


@dataclass(slots=True)
class Keyspace:
    """What the server holds."""

    states: dict[Key, bytes] = field(default_factory=dict)
    markers: dict[int, Marker] = field(default_factory=dict)
    epochs: dict[int, int] = field(default_factory=dict)
    noted: dict[int, Move] = field(default_factory=dict)
    flagged: set[int] = field(default_factory=set)
    begun: dict[int, set[Key]] = field(default_factory=dict)
    bound: dict[str, str] = field(default_factory=dict)
    recents: dict[Key, dict[tuple[int, int], Row]] = field(default_factory=dict)
    members: dict[str, int] = field(default_factory=dict)
    made: bool = False

    def copy(self) -> "Keyspace":
        return Keyspace(
            copy(self.states),
            copy(self.markers),
            copy(self.epochs),
            copy(self.noted),
            copy(self.flagged),
            {shard: copy(keys) for shard, keys in self.begun.items()},
            copy(self.bound),
            {key: copy(rows) for key, rows in self.recents.items()},
            copy(self.members),
            self.made,
        )


class RedisServer:
    """One keyspace; `kept` is what the disk has of it, a second old."""

    def __init__(self, trouble: Trouble) -> None:
        self.trouble = trouble
        self.holds = Keyspace()
        self.away_until = 0.0
        self.cut_until: dict[str, float] = {}
        self.slowness = 1.0
        self.lives = 1
        self._kept = [Keyspace(), Keyspace()]
        self._keep()

    def go_away(self, seconds: float) -> None:
        self.away_until = self.trouble.loop.time() + seconds

    def cut_off(self, host: str, seconds: float) -> None:
        """Goes away for one host alone."""
        self.cut_until[host] = self.trouble.loop.time() + seconds

    def answers(self, process: Process) -> bool:
        cut_until = self.cut_until.get(process.host, 0.0)
        return max(self.away_until, cut_until) <= self.trouble.loop.time()

    def crash(self, seconds: float) -> None:
        """Comes back after so long, with what the disk has."""
        self.go_away(seconds)
        self.lives += 1
        self.holds = self._kept[0].copy()

    def empty(self) -> None:
        self.holds, self._kept = Keyspace(), [Keyspace(), Keyspace()]

    def now(self) -> int:
        return int(self.trouble.loop.time() * SECOND)

    def _keep(self) -> None:
        self._kept = [self._kept[1], self.holds.copy()]
        self.trouble.loop.call_later(1.0, self._keep)


class SimulatedStates:
    """Implements projections.online.port.StateStore for one process."""

    features: FeatureSet = CATALOGUE

    def __init__(self, server: RedisServer, process: Process) -> None:
        self._server, self._process = server, process

    def adopt(self) -> None:
        self._asked(_made, effect=True)

    def moved(self) -> int | None:
        return None

    def read(self, keys: Sequence[Key]) -> Read:
        def begun(holds: Keyspace) -> list[bool]:
            return [_is_begun(holds, key) for key in keys]

        # In this order: each state covers what its marker says, and what was begun is there.
        there, silent, markers, *found = self._asked(
            *(begun, self._is_silent, _markers_of), *(partial(_found, key=key) for key in keys)
        )
        states = [state for state, _ in found]
        lost = {key for key, was, state in zip(keys, there, states, strict=True)
                if was and not state.version}  # fmt: skip
        return Read(
            self.features, markers, states, frozenset(lost), [each for _, each in found], silent
        )

    def push(self, keys: Sequence[Key], row: Row, room: bool) -> None:
        assert room, "no simulation is long enough"
        self._asked(*(partial(_push, key=key, row=row) for key in keys), effect=True)

    def _is_silent(self, holds: Keyspace) -> bool:
        return any(until < self._server.now() for until in holds.members.values())

    def markers(self) -> Markers:
        (found,) = self._asked(_markers_of)
        return found  # type: ignore[no-any-return]

    def claim(self, nexts: Mapping[int, int], anew: Collection[int] = ()) -> dict[int, int]:
        claims = [
            partial(_claim, shard=each, following=at, anew=each in anew)
            for each, at in nexts.items()
        ]
        epochs = self._asked(*claims, effect=True)
        _refuse_first([each for each in epochs if isinstance(each, Exception)])
        return dict(zip(nexts, epochs, strict=True))

    def sweep(self, cursors: Mapping[int, int]) -> tuple[dict[int, int], list[Key]]:
        (lost,) = self._asked(partial(_swept, shards=list(cursors)))
        return dict(cursors), lost

    def epochs(self) -> dict[int, int]:
        return dict(*self._asked(lambda holds: dict(holds.epochs)))

    def save(self, states: Sequence[tuple[EntityState, bytes]], moves: Sequence[Move] = ()) -> None:
        if states:
            writes = [partial(_save, state=state, encoded=encoded) for state, encoded in states]
            notes = [partial(_note, move=move) for move in moves]
            _refuse_first(self._asked(*writes, *notes, effect=True))
        if moves:
            marks = [partial(_mark, move=move, noted=bool(states)) for move in moves]
            _refuse_first(self._asked(*marks, effect=True))

    def rebuilding(self, shard: int, on: bool, epoch: int) -> None:
        _refuse_first(self._asked(partial(_flag, shard=shard, on=on, epoch=epoch), effect=True))

    def asked(self, call: Callable[[Keyspace], T]) -> T:
        """One call with an effect, in a round trip of its own."""
        (answer,) = self._asked(call, effect=True)
        return answer  # type: ignore[no-any-return]

    def _asked(self, *calls: Callable[[Keyspace], Any], effect: bool = False) -> list[Any]:
        """In one round trip; what others ask, and the server's end, may come between two calls."""
        trouble, answers = self._server.trouble, list[Any]()
        hop = _HOP * self._server.slowness
        trouble.loop.block(trouble.delay(hop))
        for number, call in enumerate(calls):
            if number and trouble.chance.random() >= _TOGETHER:
                trouble.loop.block(trouble.delay(_STEP))
            self._process.check()
            if not self._server.answers(self._process):
                trouble.met["redis away"] += 1
                trouble.loop.block(TIMEOUT_SECONDS)
                raise UnavailableError("redis", "does not answer")
            answers.append(call(self._server.holds))
            if effect:
                trouble.done(self._process)
        if effect and trouble.answer_is_lost():
            trouble.loop.block(TIMEOUT_SECONDS)
            raise UnavailableError("redis", "the answer was lost")
        trouble.loop.block(trouble.delay(hop))
        return answers


def _refuse_first(answers: Sequence[Exception | None]) -> None:
    """All calls of a round trip are done, whatever the others answer; what is gone counts more."""
    refused = [each for each in answers if each is not None]
    if refused:
        raise next((e for e in refused if isinstance(e, IntegrityError)), refused[0])


def _made(holds: Keyspace) -> None:
    if not holds.made:
        holds.made, holds.begun = True, {shard: set() for shard in range(ENTITIES.partitions)}


def _markers_of(holds: Keyspace) -> Markers:
    return Markers(dict(holds.markers), frozenset(holds.flagged), holds.made)


def _found(holds: Keyspace, key: Key) -> tuple[EntityState, Recents]:
    recents = Recents(tuple(sorted(holds.recents.get(key, {}).values())))
    return EntityState.stored(*key, holds.states.get(key)), recents


def _push(holds: Keyspace, key: Key, row: Row) -> None:
    stored = holds.states.get(key)
    source, offset = row[:2]
    if stored is None or version_of(stored).get(source, -1) < offset:
        holds.recents.setdefault(key, {})[source, offset] = row


def _save(holds: Keyspace, state: EntityState, encoded: bytes) -> Exception | None:
    if not holds.made:
        return IntegrityError("the online states are gone")
    key = state.entity, state.key
    begun = holds.begun.get(shard_of(*key))
    if begun is None:
        return IntegrityError("the index of the online states is gone")
    begun.add(key)
    stored = holds.states.get(key)
    if stored is not None:
        ours = version_of(encoded)
        if any(ours.get(source, -1) < at for source, at in version_of(stored).items()):
            return FencedError(f"the stored state of {key} is newer than ours")
    holds.states[key] = encoded
    beside, version = holds.recents.get(key, {}), version_of(encoded)
    for source, offset in [at for at in beside if at[1] <= version.get(at[0], -1)]:
        del beside[source, offset]
    return None


def _is_begun(holds: Keyspace, key: Key) -> bool:
    """Also where nothing says that it was not."""
    begun = holds.begun.get(shard_of(*key))
    return begun is None or key in begun


def _swept(holds: Keyspace, shards: Sequence[int]) -> list[Key]:
    begun = (key for shard in shards for key in sorted(holds.begun.get(shard, ())))
    return [key for key in begun if key not in holds.states]


def _claim(holds: Keyspace, shard: int, following: int, anew: bool) -> int | Exception:
    if not holds.made:
        return IntegrityError("the online states are gone")
    if anew or shard not in holds.begun:
        holds.markers.pop(shard, None)
    if shard not in holds.markers:
        holds.markers[shard], holds.begun[shard] = Marker(following), set()
        holds.flagged.add(shard)
    holds.epochs[shard] = holds.epochs.get(shard, 0) + 1
    return holds.epochs[shard]


def _note(holds: Keyspace, move: Move) -> None:
    holds.noted[move.shard] = move


def _mark(holds: Keyspace, move: Move, noted: bool) -> Exception | None:
    found = holds.markers.get(move.shard)
    if not holds.made:
        return IntegrityError("the online states are gone")
    if holds.epochs.get(move.shard, 0) != move.epoch:
        return FencedError(f"another worker has claimed shard {move.shard}")
    if found == move.after:
        return None
    if found is None and move.before is not None:
        return IntegrityError("the online states have lost their markers")
    if found != move.before or (noted and holds.noted.get(move.shard) != move):
        return FencedError(f"the marker of shard {move.shard} is not what was left")
    holds.markers[move.shard] = move.after
    return None


def _flag(holds: Keyspace, shard: int, on: bool, epoch: int) -> Exception | None:
    if not holds.made:
        return IntegrityError("the online states are gone")
    if holds.epochs.get(shard, 0) != epoch:
        return FencedError(f"another worker has claimed shard {shard}")
    (holds.flagged.add if on else holds.flagged.discard)(shard)
    return None
