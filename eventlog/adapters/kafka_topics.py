"""Partitions and offsets of stored topics."""

import asyncio
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic, sleep
from typing import Any

from confluent_kafka import IsolationLevel, KafkaError, KafkaException, TopicCollection
from confluent_kafka import TopicPartition as Partition
from confluent_kafka.admin import AdminClient, ConfigResource, OffsetSpec

from domain.errors import RetraceError
from eventlog.adapters.kafka_connection import connection
from eventlog.adapters.kafka_errors import missing_topic, no_answer, wrong_partitions
from eventlog.settings import KafkaSettings, topic_name
from eventlog.topics import Topic

_RETRY_SECONDS = 0.02
_METADATA_SECONDS = 1.0
# A new leader answers with these for a moment.
_PASSING = (
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.OFFSET_NOT_AVAILABLE,
    KafkaError.FENCED_LEADER_EPOCH,
    KafkaError.UNKNOWN_LEADER_EPOCH,
)


@dataclass(frozen=True, slots=True)
class Stored:
    """`led` partitions have a leader and so take records; each has `copies` at least."""

    partitions: int
    led: int
    copies: int


class StoredTopics:
    """Connects on the first request; thread-safe. Raises LogUnavailableError.

    Its retries are plain loops, not tenacity's: every decision asks for ends, and a retry object
    would cost it 0.2 ms each time.
    """

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._client: Any = None
        self._checked: set[str] = set()

    @property
    def client(self) -> Any:
        with self._lock:
            if self._client is None:
                self._client = AdminClient(connection(self._settings))
            return self._client

    def stored(self, topic: Topic) -> Stored | None:
        """None where the server has no such topic."""
        name = self._name(topic)
        described = self._described([name])[name]
        if described is None:
            return None
        led = sum(each.leader is not None for each in described.partitions)
        copies = min(len(each.replicas) for each in described.partitions)
        return Stored(len(described.partitions), led, copies)

    def ids(self, topics: Sequence[Topic]) -> dict[str, str]:
        """Of those that are there; a topic that is created again has another."""
        found = self._described([self._name(topic) for topic in topics])
        described = ((topic.name, found[self._name(topic)]) for topic in topics)
        return {name: str(each.topic_id) for name, each in described if each is not None}

    def _described(self, names: list[str]) -> dict[str, Any]:
        """None for a topic that is not there."""
        # A metadata request would create the topic on some servers.
        asked = self.client.describe_topics(
            TopicCollection(names), request_timeout=self._settings.request_timeout
        )
        found = {}
        for name, answer in asked.items():
            try:
                found[name] = answer.result()
            except KafkaException as error:
                if error.args[0].code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
                    raise self._no_answer(error, "describe its topics") from error
                found[name] = None
        return found

    def brokers(self) -> int:
        described = self.client.describe_cluster(request_timeout=self._settings.request_timeout)
        try:
            return len(described.result().nodes)
        except KafkaException as error:
            raise self._no_answer(error, "tell its brokers") from error

    def configuration(self, topic: Topic) -> dict[str, str]:
        """What is set for a stored topic, defaults of the server included."""
        asked = ConfigResource(ConfigResource.Type.TOPIC, self._name(topic))
        timeout = self._settings.request_timeout
        (answer,) = self.client.describe_configs([asked], request_timeout=timeout).values()
        try:
            return {name: entry.value for name, entry in answer.result().items()}
        except KafkaException as error:
            raise self._no_answer(error, f"describe {self._name(topic)}") from error

    def check(self, topic: Topic) -> None:
        """Raises IntegrityError where the stored topic has another partition count; asks once."""
        if topic.name in self._checked:
            return
        found = self.stored(topic)
        if found is None:
            raise missing_topic(self._name(topic), self._settings)
        if found.partitions != topic.partitions:
            raise wrong_partitions(
                self._name(topic), found.partitions, topic.partitions, self._settings
            )
        self._checked.add(topic.name)

    async def ends(self, topic: Topic) -> Sequence[int]:
        """Per partition the offset after the last record that a reader is given."""
        if topic.name not in self._checked:
            await asyncio.to_thread(self.check, topic)
        deadline = monotonic() + self._settings.request_timeout
        while True:
            futures = self._ask(topic, OffsetSpec.latest())
            await _all_done(futures)
            if (offsets := self._offsets(futures, topic, deadline)) is not None:
                return offsets
            await asyncio.to_thread(self._learn_leaders, topic)
            await asyncio.sleep(_RETRY_SECONDS)

    def bounds(self, topic: Topic) -> tuple[Sequence[int], Sequence[int]]:
        """Per partition the first offset that is stored, and the end. Blocking."""
        self.check(topic)
        return self._answer(topic, OffsetSpec.earliest()), self._answer(topic, OffsetSpec.latest())

    def _answer(self, topic: Topic, spec: OffsetSpec) -> Sequence[int]:
        deadline = monotonic() + self._settings.request_timeout
        while (offsets := self._offsets(self._ask(topic, spec), topic, deadline)) is None:
            self._learn_leaders(topic)
            sleep(_RETRY_SECONDS)
        return offsets

    def _learn_leaders(self, topic: Topic) -> None:
        """The client asks under the leader epoch that it has met, for minutes after it has passed;
        a metadata request tells it the new one (librdkafka 2.16)."""
        with suppress(KafkaException):
            self.client.list_topics(self._name(topic), timeout=_METADATA_SECONDS)

    def _ask(self, topic: Topic, spec: OffsetSpec) -> list[Any]:
        """One request for all partitions of a leader."""
        name = self._name(topic)
        asked = self.client.list_offsets(
            {Partition(name, p): spec for p in range(topic.partitions)},
            isolation_level=IsolationLevel.READ_COMMITTED,
            request_timeout=self._settings.request_timeout,
        )
        return list(asked.values())

    def _offsets(self, futures: list[Any], topic: Topic, deadline: float) -> list[int] | None:
        """None where asking again may help."""
        try:
            offsets = [future.result().offset for future in futures]
            if min(offsets) < 0:
                # As the client says it, without an error, where its connection was just cut.
                raise KafkaException(KafkaError(KafkaError.OFFSET_NOT_AVAILABLE))
            return offsets
        except KafkaException as error:
            if error.args[0].code() in _PASSING and monotonic() < deadline:
                return None
            doing = f"tell the offsets of {self._name(topic)}"
            raise self._no_answer(error, doing) from error

    def _no_answer(self, error: KafkaException, doing: str) -> RetraceError:
        self.client.poll(0)  # or it keeps to itself why servers turn it away
        return no_answer(error, doing, self._settings)

    def _name(self, topic: Topic) -> str:
        return topic_name(self._settings.topic_prefix, topic)


async def _all_done(futures: list[Any]) -> None:
    """All answers come together, in the client's thread: the loop is woken once."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()
    waiting = [len(futures)]

    def answered(_: Any) -> None:
        waiting[0] -= 1
        if not waiting[0] and not loop.is_closed():
            loop.call_soon_threadsafe(_finish, done)

    for future in futures:
        future.add_done_callback(answered)
    await done


def _finish(done: asyncio.Future[None]) -> None:
    if not done.done():
        done.set_result(None)
