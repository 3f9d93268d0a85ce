"""KafkaTail: an endless reader of a topic from given offsets."""

import threading
from collections.abc import Callable, Mapping
from typing import Any

from confluent_kafka import KafkaError, TopicPartition

from domain.errors import LogUnavailableError, RetraceError
from eventlog.adapters.kafka_errors import no_answer
from eventlog.adapters.kafka_reader import consumer, reading_failed, recorded
from eventlog.port import Recorded
from eventlog.settings import KafkaSettings, topic_name
from eventlog.topics import Topic

# The server answers as soon as there is a record; this bounds an idle wait only.
_AT_ONCE = {"fetch.wait.max.ms": 1000}
# It answers when there is as much, or the time is over.
_GATHERED = {"fetch.wait.max.ms": 250, "fetch.min.bytes": 65_536}


class KafkaTail:
    """Implements eventlog.port.Tail; connects and checks the topic on the first poll.

    Raises IntegrityError where the log does not hold a position: going on from another one would
    skip records.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        topic: Topic,
        start: Mapping[int, int],
        check: Callable[[Topic], None],
        gathered: bool = False,
    ) -> None:
        self._settings, self._topic, self._check = settings, topic, check
        self._fetching = _GATHERED if gathered else _AT_ONCE
        self._name = topic_name(settings.topic_prefix, topic)
        self._next = dict(start)
        self._consumer: Any = None
        self._unreachable = threading.Event()
        self._raise_next: RetraceError | None = None

    def poll(self, timeout: float, most: int = 1000) -> list[Recorded]:
        if self._raise_next is not None:
            failure, self._raise_next = self._raise_next, None
            raise failure
        if self._consumer is None:
            self._check(self._topic)
            self._consumer = self._assigned()
        # Wait for the first, then take what is there: asking for `most` at once would wait for
        # that many.
        first = self._consumer.poll(timeout)
        if first is None:
            self._raise_unreachable()
            return []
        rest = self._consumer.consume(most - 1, 0) if most > 1 else []
        return self._records([first, *rest])

    def close(self) -> None:
        if self._consumer is not None:
            self._consumer.close()
            self._consumer = None

    def _assigned(self) -> Any:
        def failed(error: Any) -> None:
            if error.code() in (KafkaError._ALL_BROKERS_DOWN, KafkaError._RESOLVE):
                self._unreachable.set()

        reader = consumer(
            self._settings, {"error_cb": failed, **self._fetching, "queued.min.messages": 20_000}
        )
        reader.assign([TopicPartition(self._name, p, at) for p, at in self._next.items()])
        return reader

    def _raise_unreachable(self) -> None:
        if self._unreachable.is_set():
            self._unreachable.clear()
            raise LogUnavailableError(
                f"{self._settings.bootstrap_servers} does not answer; following {self._name} "
                "goes on when it does"
            )

    def _records(self, messages: list[Any]) -> list[Recorded]:
        found: list[Recorded] = []
        for message in messages:
            if message.error() is None:
                one = recorded(message, self._topic.name)
                self._next[one.position.partition] = one.position.offset + 1
                found.append(one)
            elif self._raise_next is None:
                self._raise_next = self._failure(message)
        if self._raise_next is not None and not found:
            failure, self._raise_next = self._raise_next, None
            raise failure
        return found

    def _failure(self, message: Any) -> RetraceError:
        error = message.error()
        if error.code() == KafkaError._ALL_BROKERS_DOWN:
            return no_answer(error, f"be followed ({self._name})", self._settings)
        at = self._next.get(message.partition(), 0)
        return reading_failed(message, self._name, at, self._settings)
