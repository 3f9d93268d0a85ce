"""Admission of records: decoding, and the first-wins rule; a record counts, is void or is dead.

The memory of ids is a cache of the log, in a file of this worker. Its position may lie before or
behind that of the projection: the same record always gets the same status.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

from domain.errors import UndecodableError
from domain.events import Envelope
from eventlog.admission.first_wins import Admission, KeptMemory
from eventlog.batch import Batch
from eventlog.codec import decode
from eventlog.dead_letters import DeadRecord, dead_letter
from eventlog.port import EventLog, Position
from projections.ports import CheckedRecord, RecordStatus

DeadLetter = Callable[[Position, bytes, str], Awaitable[None]]
"""Sets a record aside (position, original bytes, reason); returns once that is acknowledged."""


def setting_aside(log: EventLog, reader: str, key: bytes, clock: Callable[[], int]) -> DeadLetter:
    """Sends records that `reader` cannot process to the dead-letter topic, sealed with `key`."""

    async def set_aside(position: Position, original: bytes, reason: str) -> None:
        record = DeadRecord(
            reader=reader,
            origin=position.topic,
            partition=position.partition,
            offset=position.offset,
            reason=reason,
            original=original,
        )
        await dead_letter(log, record, key, clock)

    return set_aside


@dataclass(slots=True)
class RecordAdmission:
    """Checks the records of one topic, each partition in offset order. Not thread-safe.

    Without `open_memory` the topic has no first-wins rule: every record that can be decoded counts.
    """

    topic: str
    open_memory: Callable[[], KeptMemory] | None
    dead_letter: DeadLetter
    _memory: KeptMemory | None = None
    _admission: Admission | None = None

    def open(self, partitions: set[int], from_start: Iterable[int] = ()) -> dict[int, int]:
        """Per partition the offset of the next record that was never checked.

        The memory of the partitions in `from_start`, which are projected from their beginning, is
        dropped: where an id was used twice, the memory of its second use would void the first.
        """
        if self.open_memory is None:
            return {}
        if self._memory is None:
            self._memory = self.open_memory()
            self._admission = Admission(self._memory)
        read = self._memory.positions()
        if again := read.keys() & set(from_start):
            self._memory.forget(again)
            read = self._memory.positions()
        return {partition: read.get(partition, 0) for partition in partitions}

    async def check(self, batch: Batch) -> list[CheckedRecord]:
        """One per record, in order, once dead letters are stored. Raises UnavailableError."""
        envelopes: list[Envelope | None] = []
        dead: list[tuple[int, bytes, str]] = []
        for offset, _, value in batch.records:
            try:
                envelopes.append(decode(value or b""))
            except UndecodableError as error:
                dead.append((offset, value or b"", str(error)))
                envelopes.append(None)
        topic, partition = self.topic, batch.partition
        statuses = self._statuses(batch, envelopes)
        checked = [
            CheckedRecord(Position(topic, partition, offset), envelope, status)
            for (offset, _, _), envelope, status in zip(
                batch.records, envelopes, statuses, strict=True
            )
        ]
        for offset, value, reason in dead:
            await self.dead_letter(Position(topic, partition, offset), value, reason)
        return checked

    def _statuses(
        self, batch: Batch, envelopes: Sequence[Envelope | None]
    ) -> Sequence[RecordStatus]:
        if self._admission is None:
            return ["dead" if each is None else "counts" for each in envelopes]
        self._admission.expect([each for each in envelopes if each is not None])
        admit, partition = self._admission.admit, batch.partition
        return [
            "dead" if each is None else "counts" if admit(each, partition, offset) else "void"
            for (offset, _, _), each in zip(batch.records, envelopes, strict=True)
        ]

    def commit(self, batches: Sequence[Batch]) -> None:
        """Call once the batches are projected: later ids are not remembered."""
        if self._memory is not None:
            self._memory.commit({batch.partition: batch.next for batch in batches})

    def close(self) -> None:
        if self._memory is not None:
            self._memory.close()
        self._memory = self._admission = None


def since(checked: Sequence[CheckedRecord], offset: int) -> list[CheckedRecord]:
    return [each for each in checked if each.position.offset >= offset]
