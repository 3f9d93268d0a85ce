"""Workers without a broker: batches, the part of Faust that a worker uses, a log that fails."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, cast

from domain.errors import LogUnavailableError
from domain.events import Envelope
from eventlog.batch import Batch, Record
from eventlog.codec import encode
from eventlog.in_memory import InMemoryEventLog
from eventlog.port import Position, Recorded
from eventlog.topics import TRANSACTIONS, Topic
from projections.faust.transport import BatchApp
from projections.faust.worker import Worker


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
Assigned = set[tuple[str, int]]


class Consumer:
    """The part of Faust's consumer that a worker uses."""

    def __init__(self) -> None:
        self.sought: list[tuple[Any, int]] = []

    def _new_topicpartition(self, topic: str, partition: int) -> tuple[str, int]:
        return topic, partition

    async def seek(self, tp: tuple[str, int], offset: int) -> None:
        self.sought.append((tp, offset))


class App:
    """The part of a Faust app that a worker uses; batches are fed by hand."""

    topic_prefix = ""

    def __init__(self, assigned: Assigned) -> None:
        self.assigned = assigned
        self.agents: dict[str, Callable[[Any], Awaitable[None]]] = {}
        self.consumer = Consumer()
        self.crashed = False
        self.crash_reason: BaseException | None = None
        self.stopped = False
        self.starts: Callable[[Assigned], Awaitable[Mapping[tuple[str, int], int]]]

    def topic(self, name: str, schema: Any) -> str:
        return name

    def agent(self, channel: str, name: str, concurrency: int) -> Callable[[Any], None]:
        assert concurrency == 1

        def take(consume: Callable[[Any], Awaitable[None]]) -> None:
            self.agents[channel] = consume

        return take

    async def start(self) -> None:
        await self.starts(self.assigned)

    async def stop(self) -> None:
        self.stopped = True

    async def feed(self, *fetched: Batch) -> None:
        async def stream() -> AsyncIterator[Batch]:
            for each in fetched:
                yield each

        await self.agents[fetched[0].topic](stream())


class Handler:
    """Keeps what it is given; `trouble` is raised first, one each time it is called."""

    def __init__(self, start: int = 0) -> None:
        self.start = start
        self.got: list[tuple[int, list[int]]] = []
        self.revoked: list[set[int]] = []
        self.trouble: list[Exception] = []
        self.called = asyncio.Event()

    async def assign(self, partitions: set[int]) -> Mapping[int, int]:
        return dict.fromkeys(partitions, self.start)

    async def handle(self, batch: Batch) -> None:
        self.called.set()
        if self.trouble:
            raise self.trouble.pop(0)
        self.got.append((batch.partition, [offset for offset, _, _ in batch.records]))

    async def revoke(self, partitions: set[int]) -> None:
        self.revoked.append(partitions)


class Bench:
    """A worker over one handler, assigned partitions 0 and 1 of TRANSACTIONS."""

    def __init__(self, start: int = 0) -> None:
        self.app = App({(NAME, 0), (NAME, 1)})
        self.handler = Handler(start)
        self.worker = Worker("bench", cast(BatchApp, self.app), {TRANSACTIONS: self.handler}, 0.0)

    async def begin(self) -> None:
        await self.app.start()

    async def feed(self, first: int, last: int, partition: int = 0, end: int | None = None) -> None:
        values = [b"x"] * (last - first + 1)
        await self.app.feed(batch(values, first=first, partition=partition, end=end))
