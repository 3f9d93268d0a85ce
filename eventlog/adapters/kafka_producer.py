"""Owns the one producer of a log and its renewal; how outcomes reach their waiters is kafka_acks'.

Interactive and bulk records go through the same producer, so that a key keeps its order
whichever way its records are appended.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from time import sleep
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer

from domain.errors import LogUnavailableError, RetraceError
from eventlog.adapters.kafka_acks import AckLoop
from eventlog.adapters.kafka_admin import MAX_RECORD_BYTES
from eventlog.adapters.kafka_errors import no_append
from eventlog.port import Position
from eventlog.settings import KafkaSettings

_QUEUE_RECORDS = 100_000
_QUEUE_KBYTES = 128 * 1024
_FULL_SECONDS = 0.002
_CLOSE_SECONDS = 5.0
Callback = Callable[[Any, Any], None]


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
        self._acks: AckLoop | None = None
        self._closed = False
        self._failures: list[RetraceError] = []

    def connect(self) -> None:
        self._live()

    def send(
        self, name: str, topic: str, key: bytes | None, value: bytes, partition: int
    ) -> asyncio.Future[Position]:
        """Needs a running event loop. `name` is the server's name of `topic`."""
        future: asyncio.Future[Position] = asyncio.get_running_loop().create_future()

        def produce(acks: AckLoop) -> None:
            def delivered(error: Any, message: Any) -> None:
                if error is None:
                    place = Position(topic, message.partition(), message.offset())
                    acks.settle(future, place)
                else:
                    acks.settle(future, no_append(error, name, self._settings))

            acks.producer.produce(name, value, key, partition, on_delivery=delivered)

        try:
            self._try(produce, name)
        except (BufferError, RetraceError) as error:
            future.set_exception(self._as_ours(error))
        return future

    def send_nowait(self, name: str, key: bytes | None, value: bytes, partition: int) -> None:
        """Waits while the queue is full, unless a record has failed: then it raises that."""

        def produce(acks: AckLoop) -> None:
            acks.producer.produce(name, value, key, partition, on_delivery=self._note)

        while True:
            try:
                return self._try(produce, name)
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

    def _try(self, produce: Callable[[AckLoop], None], name: str) -> None:
        acks = self._live()
        try:
            produce(acks)
        except KafkaException as error:
            cause = error.args[0]
            if cause.code() != KafkaError._FATAL:
                raise no_append(cause, name, self._settings) from error
            produce(self._renewed(acks))

    def _note(self, error: Any, message: Any) -> None:
        if error is not None:
            self._failures.append(no_append(error, message.topic(), self._settings))

    def _raise_failures(self) -> None:
        failures, self._failures = self._failures, []
        if failures:
            first = failures[0]
            first.add_note(f"{len(failures)} records were not acknowledged; this is the first")
            raise first

    def _as_ours(self, error: BaseException) -> RetraceError:
        if isinstance(error, RetraceError):
            return error
        return LogUnavailableError(
            f"{self._settings.bootstrap_servers} does not keep up: {_QUEUE_RECORDS:,} records "
            "wait to be sent; this one was not taken"
        )

    def _live(self) -> AckLoop:
        acks = self._acks
        return acks if acks else self._renewed(None)

    def _renewed(self, broken: AckLoop | None) -> AckLoop:
        with self._lock:
            if self._closed:
                raise LogUnavailableError("this log has been closed")
            if self._acks is None or self._acks is broken:
                self._acks = AckLoop(self._make(_configuration(self._settings)))
            if broken:
                broken.stop()
            return self._acks


def _configuration(settings: KafkaSettings) -> dict[str, Any]:
    return {
        "bootstrap.servers": settings.bootstrap_servers,
        "enable.idempotence": True,
        "acks": "all",
        "partitioner": "murmur2_random",
        "compression.type": "lz4",
        # Records gather while earlier ones are in flight: a bulk loses little by so short a wait.
        "linger.ms": 0.5,
        "message.max.bytes": MAX_RECORD_BYTES,
        "delivery.timeout.ms": int(settings.delivery_timeout * 1000),
        "topic.metadata.propagation.max.ms": int(settings.delivery_timeout * 500),
        "queue.buffering.max.messages": _QUEUE_RECORDS,
        "queue.buffering.max.kbytes": _QUEUE_KBYTES,
        "socket.nagle.disable": True,
        "reconnect.backoff.ms": 50,
        "reconnect.backoff.max.ms": 1000,
        "log_level": 0,
    }
