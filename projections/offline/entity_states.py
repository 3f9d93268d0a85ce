"""States of entities as bytes: those used last in memory, all of them in a file."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Protocol

from domain.features import Entity

_MOST_BYTES = 256 << 20


class StateFile(Protocol):
    """What was written counts from the next commit on; a process that dies takes it along.

    Blocking. What writes raises UnavailableError, and may be called again.
    """

    def read(self, entity: Entity, keys: Sequence[str]) -> Mapping[str, bytes]:
        """Of those that are there. Raises IntegrityError where the file cannot be read."""
        ...

    def write(self, entity: Entity, states: Mapping[str, bytes]) -> None: ...

    def commit(self, mark: bytes) -> None:
        """`mark` says what the states are of."""
        ...

    def roll_back(self) -> bytes | None:
        """The mark of the last commit, of which the file then is; None for an empty one."""
        ...

    def clear(self) -> None: ...


class EntityStates:
    """Not thread-safe. Without a file all are in memory; with one so many bytes."""

    def __init__(self, entities: Iterable[Entity], file: StateFile | None = None) -> None:
        self._file, self._size = file, 0
        self._held: dict[Entity, dict[str, bytes]] = {entity: {} for entity in entities}
        self._unwritten: dict[Entity, set[str]] = {entity: set() for entity in self._held}

    @property
    def full(self) -> bool:
        return self._file is not None and self._size > _MOST_BYTES

    def at(self, entity: Entity, keys: Iterable[str]) -> list[bytes | None]:
        held = self._held[entity]
        missing = [key for key in keys if key not in held] if self._file else ()
        found = self._file.read(entity, missing) if self._file and missing else {}
        return [held.get(key) or found.get(key) for key in keys]

    def put(self, entity: Entity, states: Mapping[str, bytes]) -> None:
        held = self._held[entity]
        for key, state in states.items():
            self._size += len(state) - len(held.pop(key, b""))
            held[key] = state
        if self._file is not None:
            self._unwritten[entity].update(states)

    def trim(self) -> None:
        """Leaves half of them to the file, those used longest ago. Raises UnavailableError."""
        for entity, held in self._held.items():
            oldest = list(islice(held, len(held) // 2))
            self._write(entity, self._unwritten[entity].intersection(oldest))
            self._size -= sum(len(held.pop(key)) for key in oldest)

    def keep(self, mark: bytes) -> None:
        """All of them, in one commit. Raises UnavailableError: nothing is committed."""
        assert self._file is not None
        for entity, keys in self._unwritten.items():
            self._write(entity, set(keys))
        self._file.commit(mark)

    def _write(self, entity: Entity, keys: set[str]) -> None:
        if self._file is not None and keys:
            held = self._held[entity]
            self._file.write(entity, {key: held[key] for key in keys})
            self._unwritten[entity] -= keys
