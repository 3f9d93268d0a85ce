"""Owns decoding and the void rule for workers: each record gets its verdict, once and for ever.

The memory of ids is a cache of the log in a file of this worker; its position may lie before or
behind the projection's, and judging again what was judged gives the same answer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from domain.errors import UndecodableError
from domain.events import Envelope
from eventlog.admission.first_wins import Admission
from eventlog.admission.sqlite_memory import SqliteMemory
from eventlog.batch import Batch
from eventlog.codec import decode
from eventlog.port import Position
from projections.ports import Judged, Verdict

DeadLetter = Callable[[Position, bytes, str], Awaitable[None]]
"""Sets a record aside (position, original bytes, reason); returns once that is acknowledged."""


@dataclass(slots=True)
class Judge:
    """Judges the partitions of one topic in offset order. Not thread-safe.

    With `path` None the topic has no void rule that needs a memory, and nothing is remembered.
    """

    topic: str
    path: Path | None
    dead_letter: DeadLetter
    _memory: SqliteMemory | None = None
    _admission: Admission | None = None

    def open(self, partitions: set[int], anew: Iterable[int] = ()) -> dict[int, int]:
        """Per partition the offset of the next record that was never judged.

        `anew` are projected from their beginning: where an id was used twice, the memory of its
        second life would void the first.
        """
        if self.path is None:
            return {}
        if self._memory is None:
            self._memory = SqliteMemory(self.path)
            self._admission = Admission(self._memory)
        read = self._memory.positions()
        if again := read.keys() & set(anew):
            self._memory.forget(again)
            read = self._memory.positions()
        return {partition: read.get(partition, 0) for partition in partitions}

    async def judge(self, batch: Batch) -> list[Judged]:
        """Dead letters are acknowledged before this returns. Raises UnavailableError."""
        read: list[tuple[Position, Envelope | None]] = []
        dead: list[tuple[Position, bytes, str]] = []
        for offset, _, value in batch.records:
            position = Position(self.topic, batch.partition, offset)
            try:
                read.append((position, decode(value or b"")))
            except UndecodableError as error:
                dead.append((position, value or b"", str(error)))
                read.append((position, None))
        if self._admission is not None:
            self._admission.expect([envelope for _, envelope in read if envelope])
        judged = [
            Judged(position, envelope, self._verdict(envelope, position) if envelope else "dead")
            for position, envelope in read
        ]
        for position, value, reason in dead:
            await self.dead_letter(position, value, reason)
        return judged

    def _verdict(self, envelope: Envelope, position: Position) -> Verdict:
        if self._admission is None:
            return "counts"
        counts = self._admission.admit(envelope, position.partition, position.offset)
        return "counts" if counts else "void"

    def keep(self, batch: Batch) -> None:
        """Call once the batch is projected: what was judged after the last `keep` is not kept."""
        if self._memory is not None:
            self._memory.commit({batch.partition: batch.next})

    def close(self) -> None:
        if self._memory is not None:
            self._memory.close()
        self._memory = self._admission = None


def since(judged: Sequence[Judged], offset: int) -> list[Judged]:
    return [each for each in judged if each.position.offset >= offset]
