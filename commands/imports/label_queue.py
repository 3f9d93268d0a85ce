"""Queue of labels that are not known yet: first in, first out, on disk beyond some thousands."""

import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from domain.events import Envelope, TransactionLabelled

CHUNK = 1 << 17  # at some 600 bytes each
NEVER = 1 << 62


_Chunk = list[tuple[int, TransactionLabelled]]
Labelled = Callable[[Sequence[int], Sequence[TransactionLabelled]], list[Envelope]]
"""From known times and labels to the events of them."""


class LabelQueue:
    """Holds at most two chunks of labels in memory, however many labels wait and however long.

    The file has no name, lies in `folder` (or the system's temporary one) and goes with the queue.
    `next_known` is the known time of the first, which holds back the others; NEVER where none is.
    """

    def __init__(self, labelled: Labelled, folder: Path | None = None, chunk: int = CHUNK) -> None:
        self._labelled, self._folder, self._chunk = labelled, folder, chunk
        self._file: Any = None
        self._stored: deque[tuple[int, int]] = deque()
        self._head: deque[Envelope] = deque()
        self._tail: list[Envelope] = []
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder(_Chunk).decode
        self.next_known = NEVER

    def push(self, label: Envelope) -> None:
        if self.next_known == NEVER:
            self.next_known = label.known_time
        self._tail.append(label)
        if len(self._tail) >= self._chunk:
            self._store()

    def due(self, until: int) -> Iterator[Envelope]:
        """Takes out those known by `until` that stand before all others."""
        head = self._head
        while self.next_known <= until:
            if not head:
                self._load()
            label = head.popleft()
            if not head:
                self._load()
            self.next_known = head[0].known_time if head else NEVER
            yield label

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def __len__(self) -> int:
        return len(self._head) + len(self._stored) * self._chunk + len(self._tail)

    def _store(self) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile(dir=self._folder, prefix="retrace-labels-")  # noqa: SIM115
        block = self._encode([(each.known_time, each.data) for each in self._tail])
        self._file.seek(0, 2)
        self._stored.append((self._file.tell(), len(block)))
        self._file.write(block)
        self._tail = []

    def _load(self) -> None:
        if self._stored:
            start, size = self._stored.popleft()
            self._file.seek(start)
            known_times, labels = zip(*self._decode(self._file.read(size)), strict=True)
            self._head.extend(self._labelled(known_times, labels))
        else:
            self._head.extend(self._tail)
            self._tail = []
