"""KafkaEventLog: the EventLog port over Kafka, put together from the modules beside it."""

import asyncio
from collections.abc import Awaitable, Iterator, Mapping, Sequence

from domain.events import Envelope
from eventlog.adapters.kafka_producer import Sender
from eventlog.adapters.kafka_reader import FewReader, RangeReader
from eventlog.adapters.kafka_tail import KafkaTail
from eventlog.adapters.kafka_topics import StoredTopics
from eventlog.binding.bound import LOG, TopicIds
from eventlog.codec import encode
from eventlog.partitioning import partition_for
from eventlog.port import AppendTrace, Position, Recorded
from eventlog.settings import KafkaSettings, topic_name
from eventlog.topics import Topic, by_name

_RANDOM = -1


class KafkaEventLog:
    """Implements eventlog.port.EventLog. Thread-safe; connects on first use, never when made.

    A server that does not answer gives LogUnavailableError within the settings' timeouts; a topic
    whose partition count is not the declared one gives IntegrityError. `append` needs a running
    event loop, never blocks it, and is timed out by `delivery_timeout`.
    """

    def __init__(self, settings: KafkaSettings, trace: AppendTrace | None = None) -> None:
        self._settings, self._trace = settings, trace
        self._sender = Sender(settings)
        self._few = FewReader(settings)
        self._stored = StoredTopics(settings)

    def connect(self) -> None:
        """Connects in the background and returns at once; otherwise the first append waits half a
        second.
        """
        self._sender.connect()

    def append(
        self, topic: Topic, key: str | None, envelope: Envelope, partition: int | None = None
    ) -> Awaitable[Position]:
        value = encode(envelope)
        parent = self._trace.header(topic, envelope) if self._trace else None
        if self._trace is None or parent is None:
            return self._send(topic, key, value, partition)
        sent = self._send(topic, key, value, partition, [("traceparent", parent)])
        self._trace.appended(envelope, sent)
        return sent

    def append_together(
        self, topic: Topic, key: str, envelopes: Sequence[Envelope]
    ) -> Sequence[Awaitable[Position]]:
        if self._trace and any(self._trace.header(topic, each) for each in envelopes):
            # The client takes no headers with a batch.
            return [self.append(topic, key, each) for each in envelopes]
        values = [encode(each) for each in envelopes]
        partition = self.partition_of(topic, key)
        return self._sender.send_together(
            self._name(topic), topic.name, key.encode(), values, partition
        )

    def append_bytes(
        self, topic: Topic, key: str | None, value: bytes, partition: int | None = None
    ) -> Awaitable[Position]:
        """As `append`, for records that are not our events: inboxes, and records put back."""
        return self._send(topic, key, value, partition)

    def _send(
        self,
        topic: Topic,
        key: str | None,
        value: bytes,
        partition: int | None,
        headers: list[tuple[str, bytes]] | None = None,
    ) -> asyncio.Future[Position]:
        if partition is None and key is not None:
            partition = self.partition_of(topic, key)
        return self._sender.send(
            self._name(topic),
            topic.name,
            None if key is None else key.encode(),
            value,
            _RANDOM if partition is None else partition,
            headers,
        )

    def append_nowait(self, topic: Topic, key: str | None, envelope: Envelope) -> None:
        # The client partitions by the stored partition count: it must be the declared one.
        self._stored.check(topic)
        self._sender.send_nowait(
            self._name(topic), None if key is None else key.encode(), encode(envelope), _RANDOM
        )

    def flush(self, timeout: float = 60.0) -> None:
        self._sender.flush(timeout)

    async def ends(self, topic: Topic) -> Sequence[int]:
        return await self._stored.ends(topic)

    def bounds(self, topic: Topic) -> tuple[Sequence[int], Sequence[int]]:
        return self._stored.bounds(topic)

    async def ids(self) -> TopicIds:
        """As eventlog.binding.bound.IdentifiedLog."""
        return await asyncio.to_thread(self._stored.ids, LOG)

    def read(
        self,
        topic: Topic,
        start: Mapping[int, int] | None = None,
        end: Mapping[int, int] | None = None,
    ) -> Iterator[Recorded]:
        """An `end` beyond the log's end means the log's end as of the call."""
        first, last = self._stored.bounds(topic)
        return RangeReader(
            self._settings,
            self._name(topic),
            topic.name,
            dict(enumerate(first)) | dict(start or {}),
            {p: min(at, (end or {}).get(p, at)) for p, at in enumerate(last)},
        ).records()

    def read_one(self, position: Position) -> Recorded:
        return self.read_few(position, 1)[0]

    def read_few(self, position: Position, count: int) -> list[Recorded]:
        return self._few.read(self._name(by_name(position.topic)), position, count)

    def tail(self, topic: Topic, start: Mapping[int, int], *, gathered: bool = False) -> KafkaTail:
        return KafkaTail(self._settings, topic, start, self._stored.check, gathered)

    def partition_of(self, topic: Topic, key: str) -> int:
        return partition_for(key, topic.partitions)

    def close(self) -> None:
        """Waits a few seconds for acknowledgements; later appends raise LogUnavailableError."""
        self._sender.close()
        self._few.close()

    def _name(self, topic: Topic) -> str:
        return topic_name(self._settings.topic_prefix, topic)
