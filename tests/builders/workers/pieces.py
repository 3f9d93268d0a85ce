"""Workers without a broker: batches, a handler, a log that fails."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence

from domain.errors import LogUnavailableError
from domain.events import Envelope
from eventlog.batch import Batch, Record
from eventlog.codec import encode
from eventlog.in_memory import InMemoryEventLog
from eventlog.port import Position, Recorded
from eventlog.topics import TRANSACTIONS, Topic
from projections.faust.worker import Worker
from tests.fakes.membership import InMemoryMembership


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


NAME = TRANSACTIONS.name


class Handler:
    """Keeps what it is given; `trouble` is raised first, one each time it is called.

    `trouble_of_assign` is raised so by `assign`.
    """

    def __init__(self, start: int = 0) -> None:
        self.start = start
        self.got: list[tuple[int, list[int]]] = []
        self.revoked: list[set[int]] = []
        self.trouble: list[Exception] = []
        self.trouble_of_assign: list[Exception] = []
        self.called, self.assigning = asyncio.Event(), asyncio.Event()

    async def assign(self, partitions: set[int]) -> Mapping[int, int]:
        self.assigning.set()
        if self.trouble_of_assign:
            raise self.trouble_of_assign.pop(0)
        return dict.fromkeys(partitions, self.start)

    async def handle(self, batches: Sequence[Batch]) -> None:
        self.called.set()
        if self.trouble:
            raise self.trouble.pop(0)
        self.got += [(each.partition, [at for at, _, _ in each.records]) for each in batches]

    async def revoke(self, partitions: set[int]) -> None:
        self.revoked.append(partitions)


class Bench:
    """A worker over one handler, assigned partitions 0 and 1 of TRANSACTIONS."""

    def __init__(self, start: int = 0) -> None:
        self.group = InMemoryMembership({(NAME, 0), (NAME, 1)})
        self.handler = Handler(start)
        handlers = {TRANSACTIONS: self.handler}
        self.worker = Worker("bench", self.group, handlers, first_pause=0.0)

    async def begin(self) -> None:
        """Assigns what the group has for us, again."""
        self.group.assign(self.group.ours)
        await asyncio.wait_for(self.worker.ready(), 10)

    async def feed(self, first: int, last: int, partition: int = 0, end: int | None = None) -> None:
        values = [b"x"] * (last - first + 1)
        await self.group.feed(batch(values, first=first, partition=partition, end=end))
