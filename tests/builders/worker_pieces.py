"""Owns what the workers' tests share: batches without a broker, and a log that fails on demand."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence

from domain.errors import LogUnavailableError
from domain.events import Envelope
from eventlog.batch import Batch, Record
from eventlog.codec import encode
from eventlog.in_memory import InMemoryEventLog
from eventlog.port import Position, Recorded
from eventlog.topics import TRANSACTIONS, Topic


def batch(
    values: Sequence[Envelope | bytes | None],
    *,
    first: int = 0,
    partition: int = 0,
    topic: Topic = TRANSACTIONS,
    end: int | None = None,
) -> Batch:
    """Consecutive records from offset `first` on."""
    records: list[Record] = [
        (first + i, None, encode(value) if isinstance(value, Envelope) else value)
        for i, value in enumerate(values)
    ]
    return Batch(topic.name, partition, records, first + len(values) if end is None else end)


def batches_of(log: InMemoryEventLog, topic: Topic) -> list[Batch]:
    """All that the log holds of the topic, one batch a partition."""
    found: dict[int, list[Recorded]] = {}
    for recorded in log.read(topic):
        found.setdefault(recorded.position.partition, []).append(recorded)
    return [
        Batch(
            topic.name,
            partition,
            [(each.position.offset, None, each.value) for each in records],
            len(records),
        )
        for partition, records in found.items()
    ]


class FailingLog(InMemoryEventLog):
    """Refuses its next `failures` appends."""

    def __init__(self, failures: int = 0) -> None:
        super().__init__()
        self.failures = failures

    def append(
        self, topic: Topic, key: str | None, envelope: Envelope, partition: int | None = None
    ) -> Awaitable[Position]:
        if not self.failures:
            return super().append(topic, key, envelope, partition)
        self.failures -= 1
        return _refused()


async def _refused() -> Position:
    raise LogUnavailableError("no broker answers")
