"""The one producer of a log, replaced after a fatal error.

Interactive and bulk records go through the same producer, so that a key keeps its order
whichever way its records are appended.
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from time import sleep
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer

from domain.errors import LogUnavailableError, RetraceError
from eventlog.adapters.kafka_acks import AckLoop, HandOver, Outcome
from eventlog.adapters.kafka_admin import MAX_SEALED_BYTES
from eventlog.adapters.kafka_connection import connection
from eventlog.adapters.kafka_errors import no_append
from eventlog.port import Position
from eventlog.settings import KafkaSettings

_QUEUE_RECORDS = 100_000
_QUEUE_KBYTES = 128 * 1024
_FULL_SECONDS = 0.002
_CLOSE_SECONDS = 5.0
Callback = Callable[[Any, Any], None]
Headers = list[tuple[str, bytes]] | None


class Sender:
    """Connects on the first record; thread-safe.

    A fatal error of the client (say, a lost producer id) ends its producer: the next record gets
    a new one, and what the old one still held is reported as not acknowledged.
    """

    def __init__(
        self, settings: KafkaSettings, make: Callable[[dict[str, Any]], Any] = Producer
    ) -> None:
        self._settings = settings
        self._make = make
        self._lock = threading.Lock()
        self._outcomes = HandOver()
        self._acks: AckLoop | None = None
        self._closed = False
        self._failures: list[RetraceError] = []

    def connect(self) -> None:
        """Returns at once; connects in the background."""
        if self._acks is None:
            self._renewed(None)

    def send(
        self,
        name: str,
        topic: str,
        key: bytes | None,
        value: bytes,
        partition: int,
        headers: Headers = None,
    ) -> asyncio.Future[Position]:
        """Needs a running event loop. `name` is the server's name of `topic`."""
        future, delivered = self._awaited(name, topic)
        self._handed_over(future, name, key, value, partition, delivered, headers)
        return future

    def send_together(
        self, name: str, topic: str, key: bytes, values: Sequence[bytes], partition: int
    ) -> list[asyncio.Future[Position]]:
        """As `send` of each in turn. They go as one batch, of which all are stored or none, unless
        one that is about to be sent takes the first of them."""
        awaited = [self._awaited(name, topic) for _ in values]
        records: list[dict[str, Any]] = [
            {"key": key, "value": value, "callback": delivered}
            for value, (_, delivered) in zip(values, awaited, strict=True)
        ]
        acks = self._acks or self._renewed(None)
        acks.producer.produce_batch(name, records, partition=partition)
        for record, (future, delivered) in zip(records, awaited, strict=True):
            # What the client did not take it refuses again by itself, and says why.
            if "_error" in record:
                self._handed_over(future, name, key, record["value"], partition, delivered)
        return [future for future, _ in awaited]

    def send_nowait(self, name: str, key: bytes | None, value: bytes, partition: int) -> None:
        """Waits while the queue is full; raises the failure of an earlier record.

        This is backpressure, not a retry, and runs for every record of a bulk: hence no tenacity.
        """
        while True:
            try:
                self._produce(name, key, value, partition, self._note)
                return
            except BufferError:
                self._raise_failures()
                sleep(_FULL_SECONDS)

    def flush(self, timeout: float) -> None:
        acks = self._acks
        left = acks.flush(timeout) if acks else 0
        self._raise_failures()
        if left:
            raise LogUnavailableError(
                f"{self._settings.bootstrap_servers} has not acknowledged {left} records within "
                f"{timeout:g} s; they may be stored or not, a retry under the same ids is safe"
            )

    def close(self) -> None:
        with self._lock:
            self._closed, acks, self._acks = True, self._acks, None
        if acks:
            acks.flush(_CLOSE_SECONDS)
            acks.stop()
            acks.join(_CLOSE_SECONDS)

    def _awaited(self, name: str, topic: str) -> tuple[asyncio.Future[Position], Callback]:
        """A future of the running loop, and what settles it."""
        future: asyncio.Future[Position] = asyncio.get_running_loop().create_future()

        def delivered(error: Any, message: Any) -> None:
            if error is None:
                outcome: Outcome = Position(topic, message.partition(), message.offset())
            else:
                outcome = no_append(error, name, self._settings)
            self._outcomes.settle(future, outcome)

        return future, delivered

    def _handed_over(self, future: asyncio.Future[Position], *record: Any) -> None:
        """What is refused at once is told by the future."""
        try:
            self._produce(*record)
        except BufferError:
            future.set_exception(self._full())
        except RetraceError as error:
            future.set_exception(error)

    def _produce(
        self,
        name: str,
        key: bytes | None,
        value: bytes,
        partition: int,
        delivered: Callback,
        headers: Headers = None,
    ) -> None:
        """Raises BufferError while the queue is full."""
        acks = self._acks or self._renewed(None)
        try:
            _hand_over(acks.producer, name, value, key, partition, delivered, headers)
        except KafkaException as error:
            if error.args[0].code() != KafkaError._FATAL:
                raise no_append(error.args[0], name, self._settings) from error
            renewed = self._renewed(acks)
            _hand_over(renewed.producer, name, value, key, partition, delivered, headers)

    def _note(self, error: Any, message: Any) -> None:
        if error is not None:
            self._failures.append(no_append(error, message.topic(), self._settings))

    def _raise_failures(self) -> None:
        failures, self._failures = self._failures, []
        if failures:
            first = failures[0]
            first.add_note(f"{len(failures)} records were not acknowledged; this is the first")
            raise first

    def _full(self) -> LogUnavailableError:
        return LogUnavailableError(
            f"{self._settings.bootstrap_servers} does not keep up: {_QUEUE_RECORDS:,} records "
            "wait to be sent; this one was not taken"
        )

    def _renewed(self, broken: AckLoop | None) -> AckLoop:
        with self._lock:
            if self._closed:
                raise LogUnavailableError("this log has been closed")
            if self._acks is None or self._acks is broken:
                self._acks = AckLoop(self._make(_configuration(self._settings)), self._outcomes)
            if broken:
                broken.stop()
            return self._acks


def _hand_over(producer: Any, *given: Any) -> None:
    *record, headers = given
    if headers is None:
        producer.produce(*record)
    else:
        producer.produce(*record, headers=headers)


def _configuration(settings: KafkaSettings) -> dict[str, Any]:
    return {
        **connection(settings),
        "enable.idempotence": True,
        "acks": "all",
        "partitioner": "murmur2_random",
        "compression.type": "lz4",
        # An awaited append would wait as long; records of a bulk gather while earlier ones are in
        # flight anyway.
        "linger.ms": 0,
        "message.max.bytes": MAX_SEALED_BYTES,
        "delivery.timeout.ms": int(settings.delivery_timeout * 1000),
        "topic.metadata.propagation.max.ms": int(settings.delivery_timeout * 500),
        "queue.buffering.max.messages": _QUEUE_RECORDS,
        "queue.buffering.max.kbytes": _QUEUE_KBYTES,
    }
