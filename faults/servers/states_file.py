"""File of entity states on a host's disk, as projections/offline/state_file.py keeps it."""

from collections.abc import Mapping, Sequence
from random import Random

from domain.features import Entity
from faults.loop.process import Process
from faults.servers.trouble import Trouble

SINCE_THE_SYNC = 0.3
States = dict[tuple[Entity, str], bytes]


class StatesFile:
    """What was committed, and what of it a loss of power cannot take."""

    def __init__(self) -> None:
        self.states: States = {}
        self.mark: bytes | None = None
        self._safe: tuple[States, bytes | None] = {}, None

    def sync(self) -> None:
        self._safe = dict(self.states), self.mark

    def lose_power(self, chance: Random) -> None:
        if chance.random() >= SINCE_THE_SYNC:
            states, self.mark = self._safe
            self.states = dict(states)


class DiskStates:
    """Implements entity_states.StateFile: that of one process."""

    def __init__(self, file: StatesFile, process: Process, trouble: Trouble) -> None:
        self._file, self._process, self._trouble = file, process, trouble
        self._written: States = {}

    def read(self, entity: Entity, keys: Sequence[str]) -> Mapping[str, bytes]:
        places = {key: (entity, key) for key in keys}
        found = {
            key: self._written.get(place) or self._file.states.get(place)
            for key, place in places.items()
        }
        return {key: state for key, state in found.items() if state is not None}

    def write(self, entity: Entity, states: Mapping[str, bytes]) -> None:
        self._process.check()
        self._written.update({(entity, key): state for key, state in states.items()})

    def commit(self, mark: bytes) -> None:
        self._process.check()
        self._file.states.update(self._written)
        self._written.clear()
        self._file.mark = mark
        self._trouble.done(self._process)

    def roll_back(self) -> bytes | None:
        self._process.check()
        self._written.clear()
        self._trouble.met["states kept"] += self._file.mark is not None
        return self._file.mark

    def clear(self) -> None:
        self._process.check()
        self._written.clear()
        self._file.states.clear()
        self._file.mark = None
