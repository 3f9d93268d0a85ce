"""Client of the simulated Kafka: the EventLog port of one process."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from domain.errors import IntegrityError, LogUnavailableError, NotFoundError
from domain.events import Envelope
from eventlog.binding.bound import LOG, TopicIds
from eventlog.codec import encode
from eventlog.partitioning import partition_for
from eventlog.port import Position, Recorded
from eventlog.settings import KafkaSettings
from eventlog.topics import TRANSACTIONS, Topic, by_name
from faults.loop.process import Process, within
from faults.loop.seeded_loop import Call
from faults.servers.kafka import Cluster, Partition
from faults.servers.trouble import Trouble

_SETTINGS = KafkaSettings("simulated")
DELIVERY_SECONDS, REQUEST_SECONDS = _SETTINGS.delivery_timeout, _SETTINGS.request_timeout
SETTLE_SECONDS = _SETTINGS.settle_seconds
_HOP = 0.004  # seconds, to a broker or back
_LATE_SECONDS = 0.5
_LATE_HOP = 0.2


class SimulatedLog:
    """Implements eventlog.port.InboxLog."""

    def __init__(self, cluster: Cluster, process: Process) -> None:
        self._cluster, self._process = cluster, process
        self._trouble = cluster.trouble
        self._loop = cluster.trouble.loop
        # Per partition what is on its way: an idempotent producer keeps its order.
        self._lanes: dict[tuple[str, int], _Lane] = {}
        self._closed = False

    def append(
        self, topic: Topic, key: str | None, envelope: Envelope, partition: int | None = None
    ) -> Awaitable[Position]:
        return self.append_bytes(topic, key, encode(envelope), partition)

    def append_together(
        self, topic: Topic, key: str, envelopes: Sequence[Envelope]
    ) -> Sequence[Awaitable[Position]]:
        # Nothing may hang on that they are one request: a client may send them as two.
        return [self.append(topic, key, each) for each in envelopes]

    def append_bytes(
        self, topic: Topic, key: str | None, value: bytes, partition: int | None = None
    ) -> Awaitable[Position]:
        self._process.check()
        if self._closed:
            raise LogUnavailableError("this log has been closed")
        if partition is None:
            number = (
                self._trouble.chance.randrange(topic.partitions)
                if key is None
                else self.partition_of(topic, key)
            )
        else:
            number = partition
        place = (topic.name, number)
        if place not in self._lanes:
            self._lanes[place] = _Lane(self._cluster, topic, number, self._process)
        return self._lanes[place].send(key, value)

    def append_nowait(self, topic: Topic, key: str | None, envelope: Envelope) -> None:  # noqa: ARG002
        if self._closed:
            raise LogUnavailableError("this log has been closed")
        raise NotImplementedError("no process that is simulated writes in bulk")

    def flush(self, timeout: float = 60.0) -> None:
        raise NotImplementedError("no process that is simulated writes in bulk")

    async def ends(self, topic: Topic) -> Sequence[int]:
        self._process.check()
        await asyncio.sleep(self._trouble.delay(_HOP))
        until = self._loop.time() + REQUEST_SECONDS
        partitions = self._cluster.partitions(topic)
        while not all(map(self._cluster.led, partitions)):
            if self._loop.time() >= until:
                raise LogUnavailableError(f"kafka cannot tell the offsets of {topic.name}")
            await self._cluster.changed(topic.name).wait(0.1)
        ends = [partition.end for partition in partitions]
        # The answer is on its way while others are written to.
        await asyncio.sleep(_answering(self._trouble))
        return ends

    def bounds(self, topic: Topic) -> tuple[Sequence[int], Sequence[int]]:
        self._process.check()
        self._loop.block(self._trouble.delay(2 * _HOP))
        partitions = self._cluster.partitions(topic)
        for partition in partitions:
            self._wait_for_leader(topic.name, partition)
        firsts = [each.first for each in partitions]
        if topic is TRANSACTIONS:
            firsts = [max(at, self._cluster.deleted.get(p, 0)) for p, at in enumerate(firsts)]
        return firsts, [each.end for each in partitions]

    async def ids(self) -> TopicIds:
        """As eventlog.binding.bound.IdentifiedLog."""
        self._process.check()
        await asyncio.sleep(self._trouble.delay(_HOP))
        if self._cluster.away_until > self._loop.time():
            raise LogUnavailableError("kafka cannot describe its topics")
        return {topic.name: f"{topic.name}/{self._cluster.made}" for topic in LOG}

    def read(
        self,
        topic: Topic,
        start: Mapping[int, int] | None = None,
        end: Mapping[int, int] | None = None,
    ) -> Iterator[Recorded]:
        self._process.check()
        self._loop.block(self._trouble.delay(2 * _HOP))
        found = []
        for number, partition in enumerate(self._cluster.partitions(topic)):
            first = (start or {}).get(number, partition.first)
            last = min(partition.end, (end or {}).get(number, partition.end))
            found.append(partition.since(first, max(0, last - first)))
        return chain.from_iterable(found)

    def read_one(self, position: Position) -> Recorded:
        return self.read_few(position, 1)[0]

    def read_few(self, position: Position, count: int) -> list[Recorded]:
        self._process.check()
        self._loop.block(self._trouble.delay(2 * _HOP))
        partition = self._cluster.partitions(by_name(position.topic))[position.partition]
        self._wait_for_leader(position.topic, partition)
        found = partition.since(position.offset, count)
        gone = position.topic == TRANSACTIONS.name and position.offset < self._cluster.deleted.get(
            position.partition, 0
        )
        if gone or not found or found[0].position != position:
            place = f"{position.topic}/{position.partition}/{position.offset}"
            raise NotFoundError("record", place)
        return [each for each in found if each.position.offset < position.offset + count]

    def _wait_for_leader(self, topic: str, partition: Partition) -> None:
        until = self._loop.time() + REQUEST_SECONDS
        while not self._cluster.led(partition):
            if self._loop.time() >= until:
                raise LogUnavailableError(f"kafka cannot be read ({topic})")
            self._cluster.changed(topic).block(0.1)

    def tail(
        self,
        topic: Topic,
        start: Mapping[int, int],
        *,
        gathered: bool = False,  # noqa: ARG002
    ) -> "SimulatedTail":
        deleted = self._cluster.deleted if topic is TRANSACTIONS else {}
        if lost := [p for p, at in start.items() if at < deleted.get(p, 0)]:
            raise IntegrityError(f"{topic.name} does not hold the positions of {lost} any more")
        return SimulatedTail(self._cluster, self._process, topic, start)

    def partition_of(self, topic: Topic, key: str) -> int:
        return partition_for(key, topic.partitions)

    def close(self) -> None:
        self._closed = True


@dataclass(slots=True)
class _Sent:
    """A record on its way, whose acknowledgement is awaited until `until`."""

    key: str | None
    value: bytes
    until: float
    acknowledged: asyncio.Future[Position]
    left: bool = False
    timeout: Call | None = None


class _Lane:
    """What one client sends to one partition, in order."""

    def __init__(self, cluster: Cluster, topic: Topic, number: int, process: Process) -> None:
        self._cluster, self._trouble, self._loop = cluster, cluster.trouble, cluster.trouble.loop
        self._topic, self._number, self._process = topic, number, process
        self._partition = cluster.partitions(topic)[number]
        self._sent: deque[_Sent] = deque()
        self._last_leaves = 0.0

    def send(self, key: str | None, value: bytes) -> "asyncio.Future[Position]":
        until = self._loop.time() + DELIVERY_SECONDS
        one = _Sent(key, value, until, self._loop.create_future())
        self._sent.append(one)
        leaves = self._loop.time() + self._trouble.delay(_HOP)
        self._last_leaves = max(leaves, self._last_leaves)
        # Until it has left, it dies with its process.
        self._loop.call_at(self._last_leaves, self._leave, one)
        one.timeout = self._loop.call_at(until, self._time_out, one)
        return one.acknowledged

    def _leave(self, one: _Sent) -> None:
        """From here on it is on the wire, whatever becomes of the process."""
        one.left = True
        within(None, self._arrive)

    def _arrive(self) -> None:
        """The broker takes what has left. Without a leader the client asks who leads and sends
        again, for as long as its timeout; what was sent last may still arrive after that."""
        led = self._cluster.led(self._partition)
        while self._sent and self._sent[0].left:
            one = self._sent[0]
            if not led and self._loop.time() < one.until + _LATE_SECONDS:
                self._loop.call_later(self._trouble.delay(0.2), self._arrive)
                return
            self._sent.popleft()
            if led:
                self._store(one)
            else:
                self._trouble.met["append never arrived"] += 1

    def _store(self, one: _Sent) -> None:
        self._trouble.met["append arrived after its timeout"] += one.acknowledged.done()
        position = self._cluster.store(self._topic, self._number, one.key, one.value)
        self._trouble.done(self._process)
        if not self._trouble.answer_is_lost():
            self._loop.call_later(self._trouble.delay(_HOP), self._answer, one, position)

    def _answer(self, one: _Sent, position: Position) -> None:
        if not one.acknowledged.done():
            one.acknowledged.set_result(position)
            if one.timeout is not None:
                one.timeout.cancel()

    def _time_out(self, one: _Sent) -> None:
        if not one.acknowledged.done():
            self._trouble.met["append timed out"] += 1
            one.acknowledged.set_exception(
                LogUnavailableError(
                    f"kafka did not acknowledge a record for {self._topic.name} within "
                    f"{DELIVERY_SECONDS:g} s; it may be stored or not"
                )
            )


def _answering(trouble: Trouble) -> float:
    """Seconds until an answer is there; now and then many."""
    late = trouble.chance.random() < trouble.late
    return trouble.delay(_LATE_HOP if late else _HOP)


class SimulatedTail:
    """Implements eventlog.port.Tail."""

    def __init__(
        self, cluster: Cluster, process: Process, topic: Topic, start: Mapping[int, int]
    ) -> None:
        self._cluster, self._process, self._topic = cluster, process, topic
        self._trouble, self._loop = cluster.trouble, cluster.trouble.loop
        self._partitions, self._changed = cluster.partitions(topic), cluster.changed(topic.name)
        self._next = dict(start)

    def poll(self, timeout: float, most: int = 1000) -> list[Recorded]:
        self._process.check()
        until = self._loop.time() + timeout
        while not (found := self._take(most)) and (left := until - self._loop.time()) > 0:
            self._changed.block(left)
        # What was fetched is on its way while more is written.
        self._loop.block(_answering(self._trouble))
        self._process.check()
        return found

    def close(self) -> None:
        """A tail holds nothing."""

    def _take(self, most: int) -> list[Recorded]:
        if self._cluster.away_until > self._loop.time():
            raise LogUnavailableError("kafka does not answer")
        found: list[Recorded] = []
        for number in self._next:
            partition = self._partitions[number]
            if self._next[number] == partition.end or not self._cluster.led(partition):
                continue
            if self._next[number] > partition.end:
                raise IntegrityError(
                    f"{self._topic.name}/{number} does not hold offset {self._next[number]}: the "
                    "position belongs to another log"
                )
            fresh = partition.since(self._next[number], most - len(found))
            self._next[number] += len(fresh)
            found += fresh
        return found
