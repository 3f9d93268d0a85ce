"""Disk of a host, with the memories and indexes of ids that its processes keep there.

What survives follows from how the files are written: after a killed process all that was written;
after a loss of power, of memories (eventlog/cache_files.py) all up to one of the commits since the
last sync, and of indexes (eventlog/index/files.py) parts of what was appended since.
"""

from collections.abc import Iterable, Iterator, Mapping
from random import Random

from eventlog.admission.first_wins import Known, Place, is_first_label
from faults.loop.process import Process
from faults.servers.states_file import SINCE_THE_SYNC, StatesFile
from faults.servers.trouble import Trouble

_TORN, _PAGE = 0.5, 64


class Disk:
    """Files by name, and the ids of the topics that they were made from."""

    def __init__(self) -> None:
        self.files: dict[str, MemoryFile] = {}
        self.states: dict[str, StatesFile] = {}
        self.indexes: dict[str, dict[int, IndexFile]] = {}
        self.bound: dict[str, str] = {}

    def empty(self) -> None:
        self.files.clear()
        self.states.clear()
        self.indexes.clear()
        self.bound.clear()

    def file(self, name: str) -> "MemoryFile":
        return self.files.setdefault(name, MemoryFile())

    def states_of(self, name: str) -> StatesFile:
        return self.states.setdefault(name, StatesFile())

    def sync(self) -> None:
        for file in self._all():
            file.sync()

    def lose_power(self, chance: Random) -> None:
        for file in self._all():
            file.lose_power(chance)

    def _all(self) -> Iterator["MemoryFile | StatesFile | IndexFile"]:
        yield from self.files.values()
        yield from self.states.values()
        for parts in self.indexes.values():
            yield from parts.values()


class MemoryFile:
    """What was committed, and what of it a loss of power cannot take."""

    def __init__(self) -> None:
        self.ids: dict[str, Known] = {}
        self.labels: dict[str, list[Place]] = {}
        self.positions: dict[int, int] = {}
        self._safe: tuple[dict[str, Known], dict[str, list[Place]], dict[int, int]] = ({}, {}, {})

    def sync(self) -> None:
        self._safe = dict(self.ids), dict(self.labels), dict(self.positions)

    def lose_power(self, chance: Random) -> None:
        if chance.random() < SINCE_THE_SYNC:
            return
        ids, labels, positions = self._safe
        self.ids, self.labels, self.positions = dict(ids), dict(labels), dict(positions)


class IndexFile:
    """Bytes that are appended, and how many of them a loss of power cannot take."""

    def __init__(self) -> None:
        self.data, self._safe = b"", 0

    def append(self, at: int, data: bytes) -> None:
        self.data, self._safe = self.data[:at] + data, min(at, self._safe)

    def replace(self, data: bytes) -> None:
        self.data, self._safe = data, len(data)

    def sync(self) -> None:
        self._safe = len(self.data)

    def lose_power(self, chance: Random) -> None:
        """What is not safe may be there, be cut anywhere, or lack a page in the midst."""
        if chance.random() < SINCE_THE_SYNC:
            return
        at = chance.randint(self._safe, len(self.data))
        rest = self.data[at + _PAGE :] if chance.random() < _TORN else b""
        self.data = self.data[:at] + (bytes(_PAGE) + rest if rest else b"")


class DiskIndex:
    """Implements eventlog.index.ports.IndexFiles: those of one process."""

    def __init__(self, disk: Disk, process: Process, trouble: Trouble) -> None:
        self._files = disk.indexes.setdefault(process.name, {})
        self._process, self._trouble = process, trouble

    def read(self, partition: int) -> memoryview:
        self._process.check()
        held = self._files.get(partition)
        return memoryview(held.data if held else b"")

    def append(self, partition: int, at: int, data: bytes) -> None:
        self._process.check()
        self._files.setdefault(partition, IndexFile()).append(at, data)
        self._trouble.done(self._process)

    def replace(self, partition: int, data: bytes) -> None:
        self._process.check()
        self._files.setdefault(partition, IndexFile()).replace(data)
        self._trouble.done(self._process)

    def discard(self) -> None:
        self._process.check()
        self._files.clear()

    def close(self) -> None:
        """A file holds nothing open."""


class FileMemory:
    """A process's memory of ids, as eventlog.admission.sqlite_memory keeps it."""

    def __init__(self, file: MemoryFile, process: Process, trouble: Trouble) -> None:
        self._file, self._process, self._trouble = file, process, trouble
        self._ids: dict[str, Known] = {}
        self._labels: dict[str, list[Place]] = {}

    def prefetch(self, transaction_ids: Iterable[str], label_ids: Iterable[str]) -> None:
        """Everything is at hand."""

    def known(self, transaction_id: str) -> Known | None:
        return self._ids.get(transaction_id) or self._file.ids.get(transaction_id)

    def put(self, transaction_id: str, known: Known) -> None:
        self._ids[transaction_id] = known

    def label(self, event_id: str) -> Place | None:
        places = self._places(event_id)
        return places[-1] if places else None

    def admits_label(self, event_id: str, partition: int, offset: int, since: int) -> bool:
        places, place = self._places(event_id), (partition, offset)
        if is_first_label(places, place, since):
            places = self._labels[event_id] = [*places, place]
        return place in places

    def _places(self, event_id: str) -> list[Place]:
        return self._labels.get(event_id) or self._file.labels.get(event_id, [])

    def positions(self) -> dict[int, int]:
        return dict(self._file.positions)

    def starts(self, partitions: Iterable[int]) -> dict[int, int]:
        return {each: self._file.positions.get(each, 0) for each in partitions}

    def forget(self, partitions: Iterable[int]) -> None:
        gone = set(partitions)
        for held in (self._ids, self._file.ids):
            for each in [each for each, known in held.items() if known.partition in gone]:
                del held[each]
        for labels in (self._labels, self._file.labels):
            for each in [each for each, places in labels.items() if places[0][0] in gone]:
                del labels[each]
        for partition in gone:
            self._file.positions.pop(partition, None)

    def commit(self, positions: Mapping[int, int]) -> None:
        self._process.check()
        self._file.ids.update(self._ids)
        self._file.labels.update(self._labels)
        self._file.positions.update(positions)
        self._ids.clear()
        self._labels.clear()
        self._trouble.done(self._process)

    def discard(self) -> None:
        self._file.ids.clear()
        self._file.labels.clear()
        self._file.positions.clear()

    def close(self) -> None:
        """A file holds nothing open."""
