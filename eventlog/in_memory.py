"""InMemoryEventLog: the EventLog port without a server, under the same contract suite as Kafka.

Nothing outlives the process.
"""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from itertools import chain
from time import monotonic

from domain.errors import IntegrityError, LogUnavailableError, NotFoundError
from domain.events import Envelope
from eventlog.codec import encode
from eventlog.partitioning import partition_for
from eventlog.port import Position, Recorded
from eventlog.topics import Topic, by_name


class InMemoryEventLog:
    """Implements eventlog.port.EventLog; thread-safe. Appends are acknowledged as they are made."""

    def __init__(self) -> None:
        self._topics: dict[str, list[list[Recorded]]] = {}
        self._changed = threading.Condition()
        self._closed = False

    def append(
        self, topic: Topic, key: str | None, envelope: Envelope, partition: int | None = None
    ) -> Awaitable[Position]:
        return self.append_bytes(topic, key, encode(envelope), partition)

    def append_together(
        self, topic: Topic, key: str, envelopes: Sequence[Envelope]
    ) -> Sequence[Awaitable[Position]]:
        return [self.append(topic, key, each) for each in envelopes]

    def append_bytes(
        self, topic: Topic, key: str | None, value: bytes, partition: int | None = None
    ) -> Awaitable[Position]:
        """As `append`, for records that are not our events: inboxes, and records put back."""
        future: asyncio.Future[Position] = asyncio.get_running_loop().create_future()
        try:
            future.set_result(self._store(topic, key, value, partition))
        except (LogUnavailableError, IntegrityError) as error:
            future.set_exception(error)
        return future

    def append_nowait(self, topic: Topic, key: str | None, envelope: Envelope) -> None:
        self._store(topic, key, encode(envelope), None)

    def flush(self, timeout: float = 60.0) -> None:
        """All appends are acknowledged already."""

    async def ends(self, topic: Topic) -> Sequence[int]:
        return self._ends(topic)

    def bounds(self, topic: Topic) -> tuple[Sequence[int], Sequence[int]]:
        return [0] * topic.partitions, self._ends(topic)

    def read(
        self,
        topic: Topic,
        start: Mapping[int, int] | None = None,
        end: Mapping[int, int] | None = None,
    ) -> Iterator[Recorded]:
        """An `end` beyond the log's end means the log's end as of the call."""
        ends = {p: min(at, (end or {}).get(p, at)) for p, at in enumerate(self._ends(topic))}
        begins = {p: (start or {}).get(p, 0) for p in ends}
        slices = (
            self._slice(topic, p, begins[p], last - begins[p])
            for p, last in ends.items()
            if begins[p] < last
        )
        return chain.from_iterable(slices)

    def read_one(self, position: Position) -> Recorded:
        found = self._slice(by_name(position.topic), position.partition, position.offset, 1)
        if not found:
            place = f"{position.topic}/{position.partition}/{position.offset}"
            raise NotFoundError("record", place)
        return found[0]

    def read_few(self, position: Position, count: int) -> list[Recorded]:
        return [
            self.read_one(position),
            *self._slice(
                by_name(position.topic), position.partition, position.offset + 1, count - 1
            ),
        ]

    def tail(
        self,
        topic: Topic,
        start: Mapping[int, int],
        *,
        gathered: bool = False,  # noqa: ARG002
    ) -> InMemoryTail:
        return InMemoryTail(self, topic, start)

    def partition_of(self, topic: Topic, key: str) -> int:
        return partition_for(key, topic.partitions)

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _store(
        self, topic: Topic, key: str | None, value: bytes, partition: int | None
    ) -> Position:
        if partition is None:
            partition = (
                random.randrange(topic.partitions) if key is None else self.partition_of(topic, key)
            )
        if not 0 <= partition < topic.partitions:
            raise IntegrityError(f"topic {topic.name} has no partition {partition}")
        with self._changed:
            if self._closed:
                raise LogUnavailableError("this log has been closed")
            records = self._partitions(topic)[partition]
            position = Position(topic.name, partition, len(records))
            records.append(Recorded(position, key, value))
            self._changed.notify_all()
        return position

    def _partitions(self, topic: Topic) -> list[list[Recorded]]:
        return self._topics.setdefault(topic.name, [[] for _ in range(topic.partitions)])

    def _ends(self, topic: Topic) -> list[int]:
        with self._changed:
            return [len(records) for records in self._partitions(topic)]

    def _slice(self, topic: Topic, partition: int, start: int, most: int) -> list[Recorded]:
        with self._changed:
            return self._partitions(topic)[partition][start : start + most]

    def wait(self, topic: Topic, positions: Mapping[int, int], timeout: float) -> None:
        """For tails: returns when a record lies at or after a position, or at the timeout."""
        deadline = monotonic() + timeout
        with self._changed:
            records = self._partitions(topic)
            while not any(len(records[p]) > at for p, at in positions.items()):
                left = deadline - monotonic()
                if left <= 0 or not self._changed.wait(left):
                    return

    def take(self, topic: Topic, positions: dict[int, int], most: int) -> list[Recorded]:
        """For tails: what lies at or after the positions, which it moves on."""
        found: list[Recorded] = []
        for partition in positions:
            fresh = self._slice(topic, partition, positions[partition], most - len(found))
            positions[partition] += len(fresh)
            found += fresh
        return found


class InMemoryTail:
    """Implements eventlog.port.Tail."""

    def __init__(self, log: InMemoryEventLog, topic: Topic, start: Mapping[int, int]) -> None:
        self._log, self._topic = log, topic
        self._positions = dict(start)

    def poll(self, timeout: float, most: int = 1000) -> list[Recorded]:
        ends = self._log._ends(self._topic)
        for partition, offset in self._positions.items():
            if offset > ends[partition]:
                raise IntegrityError(
                    f"{self._topic.name}/{partition} does not hold offset {offset}: the position "
                    "belongs to another log"
                )
        self._log.wait(self._topic, self._positions, timeout)
        return self._log.take(self._topic, self._positions, most)

    def close(self) -> None:
        """A tail holds nothing."""
