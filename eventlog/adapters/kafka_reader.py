"""Bounded reads of ranges and single records; endless tails are in kafka_tail.py."""

import threading
from collections.abc import Iterator, Mapping
from time import monotonic
from typing import Any

from confluent_kafka import Consumer, KafkaError, TopicPartition

from domain.errors import NotFoundError, RetraceError
from eventlog.adapters.kafka_connection import connection
from eventlog.adapters.kafka_errors import missing_topic, no_answer, out_of_range
from eventlog.port import Position, Recorded
from eventlog.settings import KafkaSettings

_CHUNK = 2_000
# Time for a chunk to fill; every short read waits for it once.
_CHUNK_SECONDS = 0.005
# After a timeout the server is not asked for so long: callers in the queue fail at once instead
# of each waiting for a timeout of its own.
_SILENCE_SECONDS = 0.5
_OF_ALL = -1
OUT_OF_RANGE = (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE)


def consumer(settings: KafkaSettings, more: Mapping[str, Any]) -> Any:
    """Reads what it is assigned; belongs to no group and commits nothing."""
    return Consumer(
        {
            **connection(settings),
            "group.id": "retrace-unused",
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "auto.offset.reset": "error",
            "fetch.error.backoff.ms": 50,
            # By default a full queue would stall the reader for a second.
            "fetch.queue.backoff.ms": 1,
            **more,
        }
    )


def recorded(message: Any, topic: str) -> Recorded:
    key = message.key()
    return Recorded(
        Position(topic, message.partition(), message.offset()),
        None if key is None else key.decode(errors="replace"),
        message.value() or b"",
    )


class RangeReader:
    """Reads [start, end) of each partition that `start` and `end` both name."""

    def __init__(
        self,
        settings: KafkaSettings,
        name: str,
        topic: str,
        start: Mapping[int, int],
        end: Mapping[int, int],
    ) -> None:
        self._settings, self._name, self._topic = settings, name, topic
        self._start = start
        self._ends = {p: end[p] for p in start if start[p] < end[p]}

    def records(self) -> Iterator[Recorded]:
        """Raises LogUnavailableError where the server is silent for the request timeout."""
        if not self._ends:
            return
        self._consumer = consumer(
            self._settings,
            {
                "enable.partition.eof": True,
                "queued.min.messages": 50_000,
                "fetch.wait.max.ms": 10,
                "max.partition.fetch.bytes": 4 * 1024 * 1024,
            },
        )
        try:
            self._consumer.assign([TopicPartition(self._name, p, self._start[p])
                                   for p in self._ends])  # fmt: skip
            while self._ends:
                for message in self._batch():
                    if message.error() is not None:
                        self._end_or_raise(message)
                    elif (one := self._wanted(message)) is not None:
                        yield one
        finally:
            self._consumer.close()

    def _batch(self) -> list[Any]:
        deadline = monotonic() + self._settings.request_timeout
        while monotonic() < deadline:
            if batch := self._consumer.consume(_CHUNK, _CHUNK_SECONDS):
                return list(batch)
        raise no_answer(TimeoutError("no answer"), f"be read ({self._name})", self._settings)

    def _wanted(self, message: Any) -> Recorded | None:
        partition, offset = message.partition(), message.offset()
        end = self._ends.get(partition, -1)
        if offset + 1 >= end >= 0:
            self._finish(partition)
        return recorded(message, self._topic) if offset < end else None

    def _end_or_raise(self, message: Any) -> None:
        error, partition = message.error(), message.partition()
        if error.code() == KafkaError._PARTITION_EOF:
            # Transaction markers have offsets too, but are never delivered.
            if message.offset() >= self._ends.get(partition, message.offset() + 1):
                self._finish(partition)
            return
        raise reading_failed(message, self._name, self._start.get(partition, 0), self._settings)

    def _finish(self, partition: int) -> None:
        del self._ends[partition]
        self._consumer.incremental_unassign([TopicPartition(self._name, partition)])


class FewReader:
    """Reads a few records at a time through one consumer, for any thread; connects on first use.

    Nobody waits for longer than the request timeout, however many wait for a silent server.
    """

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._consumer: Any = None
        self._silent_until = 0.0

    def read(self, name: str, position: Position, count: int) -> list[Recorded]:
        """As EventLog.read_few."""
        if monotonic() < self._silent_until or not self._lock.acquire(
            timeout=self._settings.request_timeout
        ):
            raise self._silence(name)
        try:
            # The server may have become silent while we waited for the lock.
            if monotonic() < self._silent_until:
                raise self._silence(name)
            if self._consumer is None:
                # Small, short fetches: none of them is to outlive the read.
                self._consumer = consumer(
                    self._settings,
                    {
                        "enable.partition.eof": True,
                        "fetch.wait.max.ms": 5,
                        "max.partition.fetch.bytes": 64 * 1024,
                        "queued.min.messages": 1,
                    },
                )
            self._consumer.assign([TopicPartition(name, position.partition, position.offset)])
            try:
                return self._found(name, position, count)
            finally:
                self._consumer.unassign()
        finally:
            self._lock.release()

    def close(self) -> None:
        with self._lock:
            if self._consumer is not None:
                self._consumer.close()
                self._consumer = None

    def _found(self, name: str, position: Position, count: int) -> list[Recorded]:
        found: list[Recorded] = []
        last = position.offset + count - 1
        deadline = monotonic() + self._settings.request_timeout
        while (left := deadline - monotonic()) > 0:
            message = self._consumer.poll(left)
            if message is None or message.partition() not in (position.partition, _OF_ALL):
                # What was fetched for the read before may still come.
                continue
            error = message.error()
            if error is None:
                if not found and message.offset() != position.offset:
                    raise _nothing_at(position)
                if message.offset() <= last:
                    found.append(recorded(message, position.topic))
                if message.offset() >= last:
                    return found
                continue
            if error.code() in (*OUT_OF_RANGE, KafkaError._PARTITION_EOF):
                if found:
                    return found
                raise _nothing_at(position)
            raise reading_failed(message, name, position.offset, self._settings)
        self._silent_until = monotonic() + _SILENCE_SECONDS
        raise self._silence(name)

    def _silence(self, name: str) -> RetraceError:
        return no_answer(TimeoutError("no answer"), f"be read ({name})", self._settings)


def reading_failed(message: Any, name: str, offset: int, settings: KafkaSettings) -> RetraceError:
    """The error that came in place of a message. `offset` is where reading began."""
    error = message.error()
    if error.code() in OUT_OF_RANGE:
        return out_of_range(name, message.partition(), offset, settings)
    if error.code() in (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC):
        return missing_topic(name, settings)
    return no_answer(error, f"be read ({name})", settings)


def _nothing_at(position: Position) -> NotFoundError:
    return NotFoundError("record", f"{position.topic}/{position.partition}/{position.offset}")
