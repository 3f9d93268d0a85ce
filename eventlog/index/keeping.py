"""Keeping of an index: what was read since is appended to its file, which is made anew at times."""

import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from domain.errors import UnavailableError
from eventlog.index.blocks import Reached, blocks, encoded, mark_of
from eventlog.index.entries import Sorted, sorted_pairs
from eventlog.index.id_index import IdIndex
from eventlog.index.opening import Opened
from eventlog.index.places import merged, split
from eventlog.index.ports import IndexFiles
from eventlog.port import Recorded

logger = logging.getLogger(__name__)

# So many entries of a partition are in memory at the most, or a part of those in its file.
_LOADED, _PART = 1 << 20, 4
_UNKEPT = 1 << 20


@dataclass(slots=True)
class _File:
    """`there` once it holds all up to `reached`."""

    reached: Reached
    size: int
    check: int
    there: bool


class Keeping:
    """`lock` is that of the index. `commit` is called by one thread, `save` by any, once."""

    def __init__(self, index: IdIndex, files: IndexFiles, lock: threading.Lock) -> None:
        self._index, self._files, self._lock = index, files, lock
        self._held: dict[int, _File] = {}

    def opened(self, partition: int, opened: Opened) -> None:
        self._held[partition] = _File(
            opened.reached, opened.size, opened.check, there=not opened.whole
        )

    def save(self, partition: int) -> None:
        """Writes a file that is to be made anew; what was opened is enough to work meanwhile."""
        if not self._held[partition].there:
            self._write_whole(partition, [self._index.places(partition).levels[0]])

    def commit(self, read: Mapping[int, Recorded]) -> None:
        """Keeps what the log says up to the records that were read last, by partition."""
        for partition, recorded in read.items():
            self._append(partition, recorded)
            self._tidy(partition)

    def _append(self, partition: int, last: Recorded) -> None:
        file, offset = self._held[partition], last.position.offset
        with self._lock:
            unkept = self._index.unkept[partition]
            read = [(name, entry) for at, name, entry in unkept if at <= offset]
        if len(unkept) > _UNKEPT:
            # The disk took nothing for long: the process ends, for it would end without memory.
            raise UnavailableError("disk", f"the index of partition {partition} cannot be kept")
        if not file.there or offset < file.reached.next:
            return
        reached = Reached(offset + 1, offset, mark_of(last.value))
        block = encoded(sorted_pairs(read), reached, file.check)
        try:
            self._files.append(partition, file.size, block)
        except UnavailableError as error:
            # It is a cache: what is not kept is read again after a restart.
            logger.warning("%s", error)
            return
        (whole,) = blocks(memoryview(block), file.check)
        file.reached, file.size, file.check = reached, file.size + whole.end, whole.check
        with self._lock:
            self._index.unkept[partition] = [each for each in unkept if each[0] > offset]

    def _tidy(self, partition: int) -> None:
        places = self._index.places(partition)
        with self._lock:
            settled, levels = places.settle(), list(places.levels)
        if not settled:
            return
        # Other threads add to what is newest alone.
        levels = merged(levels)
        with self._lock:
            places.levels = levels
        if self._held[partition].there and places.loaded() > max(_LOADED, len(places) // _PART):
            self._write_whole(partition, levels)

    def _write_whole(self, partition: int, levels: Sequence[Sorted]) -> None:
        """These levels are the first ones; what the file is to hold of them is mapped from it."""
        file, places = self._held[partition], self._index.places(partition)
        first, rest = split(levels, file.reached.next)
        try:
            self._files.replace(partition, encoded(first, file.reached))
        except UnavailableError as error:
            logger.warning("%s", error)
            return
        (whole,) = blocks(self._files.read(partition))
        file.size, file.check = whole.end, whole.check
        with self._lock:
            left = [rest] if len(rest[0]) else []
            places.levels = [whole.entries, *left, *places.levels[len(levels) :]]
        file.there = True
