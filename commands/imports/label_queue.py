"""Queue of labels that are not known yet: first in, first out, on disk beyond some thousands."""

import tempfile
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from domain.events import TransactionLabelled

CHUNK = 1 << 17  # at some 300 bytes each


class PendingLabel(NamedTuple):
    known_time: int
    label: TransactionLabelled


_Chunk = list[PendingLabel]


class LabelQueue:
    """Holds at most two chunks of labels in memory, however many labels wait and however long.

    The file has no name, lies in `folder` (or the system's temporary one) and goes with the queue.
    """

    def __init__(self, folder: Path | None = None, chunk: int = CHUNK) -> None:
        self._folder, self._chunk = folder, chunk
        self._file: Any = None
        self._stored: deque[tuple[int, int]] = deque()
        self._head: deque[PendingLabel] = deque()
        self._tail: list[PendingLabel] = []
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder(_Chunk).decode

    def push(self, label: PendingLabel) -> None:
        self._tail.append(label)
        if len(self._tail) >= self._chunk:
            self._store()

    def first(self) -> PendingLabel | None:
        if not self._head:
            self._load()
        return self._head[0] if self._head else None

    def due(self, until: int) -> Iterator[PendingLabel]:
        """Takes out those known by `until` that stand before all others."""
        while (first := self.first()) is not None and first.known_time <= until:
            head = self._head
            while head and head[0].known_time <= until:
                yield head.popleft()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def __len__(self) -> int:
        return len(self._head) + len(self._stored) * self._chunk + len(self._tail)

    def _store(self) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile(dir=self._folder, prefix="retrace-labels-")  # noqa: SIM115
        block = self._encode(self._tail)
        self._file.seek(0, 2)
        self._stored.append((self._file.tell(), len(block)))
        self._file.write(block)
        self._tail = []

    def _load(self) -> None:
        if self._stored:
            start, size = self._stored.popleft()
            self._file.seek(start)
            self._head.extend(self._decode(self._file.read(size)))
        else:
            self._head.extend(self._tail)
            self._tail = []
