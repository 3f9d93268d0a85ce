"""Spread: appends to many partitions of a topic at once, as one request to each server.

The client of everything else sends a request for each partition. A server takes most of its time
for requests, not for records, and the router has something for all partitions many times a second.
"""

import asyncio

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from domain.errors import IntegrityError, LogUnavailableError
from eventlog.adapters.kafka_admin import MAX_RECORD_BYTES
from eventlog.port import Position
from eventlog.settings import KafkaSettings, topic_name
from eventlog.topics import Topic


class Spread:
    """Connects on first use; one event loop owns it. `kept` runs as long as it is used.

    What is appended after an acknowledgement lies behind it; what is appended at once may lie in
    any order. One that was not acknowledged may be stored, and one that was may be stored twice:
    this is for readers that skip by offsets of their own, as those of ENTITIES do.
    """

    def __init__(self, settings: KafkaSettings, topic: Topic) -> None:
        self._settings, self._topic = settings, topic
        self._name = topic_name(settings.topic_prefix, topic)
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()

    async def append(self, partition: int, value: bytes) -> Position:
        """Returns once it is acknowledged by all in-sync replicas. Raises LogUnavailableError, and
        IntegrityError for more than a record may hold."""
        try:
            producer = self._producer or await self._started()
            sent = await producer.send(self._name, value, partition=partition)
            stored = await sent
        except MessageSizeTooLargeError as error:
            raise IntegrityError(f"a record for {self._name} is too large: {error}") from error
        except (KafkaError, OSError, TimeoutError) as error:
            raise LogUnavailableError(
                f"{self._settings.bootstrap_servers} did not acknowledge a record for {self._name} "
                f"({error or type(error).__name__}); a retry is safe"
            ) from error
        return Position(self._topic.name, partition, stored.offset)

    async def kept(self) -> None:
        """Waits for ever; closes the connection when it is cancelled."""
        try:
            await asyncio.Event().wait()
        finally:
            if self._producer is not None:
                await self._producer.stop()

    async def _started(self) -> AIOKafkaProducer:
        async with self._starting:
            if self._producer is None:
                producer = self._made()
                try:
                    await producer.start()
                except BaseException:
                    await producer.stop()
                    raise
                self._producer = producer
            return self._producer

    def _made(self) -> AIOKafkaProducer:
        security = self._settings.security
        return AIOKafkaProducer(
            bootstrap_servers=self._settings.bootstrap_servers,
            acks="all",
            compression_type="lz4",
            max_batch_size=MAX_RECORD_BYTES,
            max_request_size=MAX_RECORD_BYTES,
            request_timeout_ms=int(self._settings.delivery_timeout * 1000),
            security_protocol=security.protocol,
            ssl_context=security.context() if security.encrypted else None,
            sasl_mechanism=security.mechanism,
            sasl_plain_username=security.username or None,
            sasl_plain_password=security.password or None,
        )
