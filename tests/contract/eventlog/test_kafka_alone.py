"""What applies to the Kafka log alone: silent servers, foreign topics, lost positions."""

import os
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from inspect import isawaitable
from time import monotonic
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka.admin import NewTopic

from domain.errors import IntegrityError, LogUnavailableError
from eventlog.adapters.kafka import KafkaEventLog
from eventlog.adapters.kafka_admin import MAX_RECORD_BYTES, ensure_topics, topic_config
from eventlog.adapters.kafka_producer import Sender
from eventlog.adapters.kafka_topics import StoredTopics
from eventlog.binding.bound import LOG
from eventlog.codec import decode
from eventlog.dead_letters import DeadRecord, dead_letter, unseal
from eventlog.port import Position
from eventlog.settings import KafkaSettings, topic_name
from eventlog.topics import DEAD_LETTERS, POLICY, TOPICS, TRANSACTIONS, Topic
from tests.contract.eventlog.contract import followed
from tests.fakes.events import submitted
from tests.fixtures.kafka import deleted

SHORT = 1.0


@pytest.fixture
def absent() -> Iterator[KafkaSettings]:
    """A port that is held and never answers."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        server = f"127.0.0.1:{held.getsockname()[1]}"
        yield KafkaSettings(server, delivery_timeout=SHORT, request_timeout=SHORT)


@pytest.fixture
def log(kafka: KafkaSettings) -> Iterator[KafkaEventLog]:
    log = KafkaEventLog(kafka)
    yield log
    log.close()


async def append(log: KafkaEventLog, topic: Topic = TRANSACTIONS) -> Position:
    return await log.append(topic, "t-1", submitted("t-1"))


async def ends(log: KafkaEventLog, topic: Topic = TRANSACTIONS) -> Any:
    return await log.ends(topic)


async def done(answer: object) -> None:
    """Waits where the answer is awaited."""
    if isawaitable(answer):
        await answer


@pytest.mark.parametrize(
    "ask",
    [
        append,
        ends,
        lambda log: list(log.read(TRANSACTIONS)),
        lambda log: log.read_one(Position(TRANSACTIONS.name, 0, 0)),
        lambda log: log.tail(TRANSACTIONS, {0: 0}).poll(0.1),
        lambda log: log.append_nowait(TRANSACTIONS, "t", submitted("t")),
    ],
    ids=["append", "ends", "read", "read_one", "tail", "append_nowait"],
)
async def test_a_server_that_is_away_is_named_within_the_timeout(
    absent: KafkaSettings, ask: Callable[[KafkaEventLog], object]
) -> None:
    log = KafkaEventLog(absent)
    began = monotonic()
    with pytest.raises(LogUnavailableError, match=absent.bootstrap_servers):
        await done(ask(log))
    assert monotonic() - began < 5 * SHORT
    log.close()


async def test_an_append_in_doubt_says_that_a_retry_is_safe(absent: KafkaSettings) -> None:
    log = KafkaEventLog(absent)
    with pytest.raises(LogUnavailableError, match="retry under the same id is safe"):
        await append(log)
    log.close()


async def test_a_topic_of_another_partition_count_is_refused(kafka: KafkaSettings) -> None:
    declared = replace(TRANSACTIONS, base="odd", partitions=4)
    stored = replace(declared, partitions=3)
    ensure_topics(kafka, topics=[stored])
    log = KafkaEventLog(kafka)
    try:
        for ask in (
            lambda: list(log.read(declared)),
            lambda: log.tail(declared, {}).poll(0.1),
            lambda: log.append_nowait(declared, "t", submitted("t")),
            lambda: ends(log, declared),
            lambda: ensure_topics(kafka, topics=[declared]),
        ):
            with pytest.raises(IntegrityError, match="has 3 partitions, declared are 4"):
                await done(ask())
    finally:
        log.close()
        server = StoredTopics(kafka)
        for gone in server.client.delete_topics([topic_name(kafka.topic_prefix, stored)]).values():
            gone.result()


@pytest.mark.parametrize(
    ("altered", "asked", "said"),
    [
        ({"retention.ms": "604800000"}, {}, "retention.ms=604800000.*kafka-configs"),
        ({"cleanup.policy": "compact"}, {}, "cleanup.policy=compact"),
        ({}, {"replication": 3}, "has 1 copies, RETRACE_KAFKA_REPLICATION asks for 3"),
        ({}, {"min_in_sync": 2}, "min.insync.replicas=1"),
    ],
)
def test_a_topic_that_would_lose_records_is_refused(
    kafka: KafkaSettings, altered: dict[str, str], asked: dict[str, int], said: str
) -> None:
    topic = replace(POLICY, base="kept")
    name = topic_name(kafka.topic_prefix, topic)
    client = StoredTopics(kafka).client
    (made,) = client.create_topics(
        [NewTopic(name, 1, config=topic_config(topic) | altered)]
    ).values()
    made.result()
    try:
        with pytest.raises(IntegrityError, match=said):
            ensure_topics(kafka, topics=[topic], **asked)
    finally:
        (gone,) = client.delete_topics([name]).values()
        gone.result()


async def test_a_topic_that_is_missing_is_named_with_what_creates_it(kafka: KafkaSettings) -> None:
    unknown = replace(TRANSACTIONS, base="never.created")
    log = KafkaEventLog(replace(kafka, delivery_timeout=SHORT))
    for ask in (lambda: list(log.read(unknown)), lambda: append(log, unknown)):
        with pytest.raises(LogUnavailableError, match=r"no topic .*never\.created.*retrace up"):
            await done(ask())
    log.close()


@pytest.mark.parametrize("start", [5, 1_000_000])
async def test_a_tail_refuses_positions_that_the_log_does_not_hold(
    log: KafkaEventLog, start: int
) -> None:
    await append(log)
    tail = log.tail(TRANSACTIONS, {3: start})
    with pytest.raises(IntegrityError, match=f"does not hold offset {start}"):
        followed(tail, 100)
    tail.close()


def test_topics_are_created_once_under_concurrent_calls(kafka: KafkaSettings) -> None:
    prefix = kafka.topic_prefix + "again."
    again = replace(kafka, topic_prefix=prefix)
    with ThreadPoolExecutor(4) as pool:
        created = list(pool.map(lambda _: ensure_topics(again), range(4)))
    names = sorted(name for each in created for name in each)
    server = StoredTopics(kafka)
    for gone in server.client.delete_topics(names).values():
        gone.result()
    assert names == sorted(topic_name(prefix, topic) for topic in TOPICS)


def test_created_topics_keep_what_they_are_declared_to_keep(kafka: KafkaSettings) -> None:
    from confluent_kafka.admin import ConfigResource

    server = StoredTopics(kafka)
    for topic, retention, mebibytes in ((POLICY, "-1", 2), (DEAD_LETTERS, str(90 * 86_400_000), 4)):
        asked = ConfigResource(ConfigResource.Type.TOPIC, topic_name(kafka.topic_prefix, topic))
        (answer,) = server.client.describe_configs([asked]).values()
        found = {name: entry.value for name, entry in answer.result().items()}
        assert found["retention.ms"] == retention
        assert found["message.timestamp.type"] == "LogAppendTime"
        assert found["max.message.bytes"] == str(mebibytes * 1024 * 1024)


def test_offsets_taken_by_transactions_do_not_stop_a_bounded_read(
    kafka: KafkaSettings, log: KafkaEventLog
) -> None:
    foreign = Producer(
        {"bootstrap.servers": kafka.bootstrap_servers, "transactional.id": kafka.topic_prefix}
    )
    foreign.init_transactions(30)
    for _ in range(2):
        foreign.begin_transaction()
        foreign.produce(topic_name(kafka.topic_prefix, POLICY), b"{}")
        foreign.commit_transaction(30)
    assert [r.position.offset for r in log.read(POLICY)] == [0, 2]


async def test_a_fatal_error_of_the_client_costs_only_a_new_producer(kafka: KafkaSettings) -> None:
    made: list[Any] = []

    class Broken:
        """What librdkafka is after a fatal error; one cannot be brought about from Python."""

        def produce(self, *_: Any) -> None:
            raise KafkaException(self.error)

        def produce_batch(self, _: str, records: list[dict[str, Any]], **__: Any) -> int:
            for each in records:
                each["_error"] = self.error
            return 0

        error = KafkaError(KafkaError._FATAL, "lost producer id", fatal=True)

        def poll(self, _: float) -> int:
            return 0

        def purge(self) -> None: ...

        def flush(self, _: float) -> int:
            return 0

    def make(configuration: dict[str, Any]) -> Any:
        made.append(Broken() if not made else Producer(configuration))
        return made[-1]

    for together in (False, True):
        made.clear()
        sender = Sender(kafka, make)
        name = topic_name(kafka.topic_prefix, POLICY)
        if together:
            sent = sender.send_together(name, POLICY.name, b"key", [b"{}", b"{}"], 0)
        else:
            sent = [sender.send(name, POLICY.name, None, b"{}", 0)]
        offsets = [(await each).offset for each in sent]
        assert offsets == ([1, 2] if together else [0])
        sender.close()
        assert len(made) == 2


async def test_of_two_that_go_together_one_that_is_too_large_is_refused_alone(
    kafka: KafkaSettings, log: KafkaEventLog
) -> None:
    sender = Sender(kafka)
    name = topic_name(kafka.topic_prefix, POLICY)
    large, small = sender.send_together(
        name, POLICY.name, b"key", [os.urandom(3 * 1024 * 1024), b"{}"], 0
    )
    with pytest.raises(IntegrityError, match=r"retrace\.policy.* is larger than"):
        await large
    assert log.read_one(await small).value == b"{}"
    sender.close()


async def test_the_largest_record_can_be_dead_lettered(
    kafka: KafkaSettings, log: KafkaEventLog
) -> None:
    original = os.urandom(MAX_RECORD_BYTES - 1024)
    record = DeadRecord(
        reader="decisions", origin="inbox.transactions", partition=0, offset=0, reason="not JSON",
        original=original,
    )  # fmt: skip
    place = await dead_letter(log, record, b"key", lambda: 1)
    assert unseal(decode(log.read_one(place).value).data.sealed, b"key") == original


async def test_a_record_that_is_too_large_is_refused_by_name(log: KafkaEventLog) -> None:
    with pytest.raises(IntegrityError, match=r"retrace\.policy.* is larger than"):
        await log.append_bytes(POLICY, None, os.urandom(3 * 1024 * 1024))


async def test_a_topic_that_is_created_again_has_another_id(
    log: KafkaEventLog, kafka: KafkaSettings
) -> None:
    before = await log.ids()
    assert before.keys() == {topic.name for topic in LOG}
    assert await log.ids() == before
    deleted(kafka, [POLICY])
    assert await log.ids() == {each: of for each, of in before.items() if each != POLICY.name}
    ensure_topics(kafka)
    after = await log.ids()
    assert {each for each in before if after[each] != before[each]} == {POLICY.name}
