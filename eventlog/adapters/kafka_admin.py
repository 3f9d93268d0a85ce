"""Creation and check of topics; none is ever deleted or altered."""

from collections.abc import Iterable
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import NewTopic

from domain.errors import IntegrityError, LogUnavailableError
from eventlog.adapters.kafka_errors import no_answer
from eventlog.adapters.kafka_topics import Stored, StoredTopics
from eventlog.settings import KafkaSettings, topic_name
from eventlog.topics import DEAD_LETTERS, FOREVER, TOPICS, Topic
from host.processes import wait_until

MAX_RECORD_BYTES = 2 * 1024 * 1024
# A dead letter holds any record, sealed and in base64.
MAX_SEALED_BYTES = 2 * MAX_RECORD_BYTES
_READY_SECONDS = 30.0
_COPIES = 3
_IN_SYNC = "min.insync.replicas"


def ensure_topics(
    settings: KafkaSettings,
    *,
    topics: Iterable[Topic] = TOPICS,
    replication: int = 0,
    min_in_sync: int = 0,
) -> list[str]:
    """Creates what is missing and returns the names created. Safe when called concurrently.

    `replication` is how many copies a partition has, 0 for `_COPIES` or as many as there are
    brokers; `min_in_sync` how many of them must hold a record, 0 for all but one. When it returns,
    the topics can be written and read. Raises LogUnavailableError, and IntegrityError for a topic
    that is there with another partition count, that is kept for ever and would lose records, or
    that has fewer copies than asked for.
    """
    there = StoredTopics(settings)
    wanted = list(topics)
    missing = [topic for topic in wanted if there.stored(topic) is None]
    created = []
    if missing:
        copies = replication or min(_COPIES, there.brokers())
        created = _create(there.client, settings, missing, copies, min_in_sync or copies - 1)
    for topic in wanted:
        found = _led(there, settings, topic)
        there.bounds(topic)
        if topic.retention_us == FOREVER:
            _check_kept(there, found, settings, topic, replication, min_in_sync)
    return created


def _create(
    client: Any, settings: KafkaSettings, topics: list[Topic], replication: int, in_sync: int
) -> list[str]:
    requested = [
        NewTopic(
            topic_name(settings.topic_prefix, topic),
            num_partitions=topic.partitions,
            replication_factor=replication,
            config=topic_config(topic) | {_IN_SYNC: str(max(1, in_sync))},
        )
        for topic in topics
    ]
    futures = client.create_topics(requested, request_timeout=settings.request_timeout)
    return [name for name, future in futures.items() if _created(future, settings)]


def _check_kept(
    there: StoredTopics,
    found: Stored,
    settings: KafkaSettings,
    topic: Topic,
    replication: int,
    in_sync: int,
) -> None:
    """What was created by others, or altered since."""
    name = topic_name(settings.topic_prefix, topic)
    if found.copies < replication:
        raise IntegrityError(
            f"topic {name} on {settings.bootstrap_servers} has {found.copies} copies, "
            f"RETRACE_KAFKA_REPLICATION asks for {replication}: add copies with "
            "kafka-reassign-partitions, or lower the setting"
        )
    stored = there.configuration(topic)
    for key, declared in (topic_config(topic) | {_IN_SYNC: str(in_sync)}).items():
        if not _keeps(key, stored[key], declared):
            raise IntegrityError(
                f"topic {name} on {settings.bootstrap_servers} has {key}={stored[key]}: it would "
                f"lose or refuse records. Set it with kafka-configs --alter --entity-type topics "
                f"--entity-name {name} --add-config {key}={declared}"
            )


def _keeps(key: str, stored: str, declared: str) -> bool:
    if key in (_IN_SYNC, "max.message.bytes"):
        return int(stored) >= int(declared)
    return key == "compression.type" or stored == declared


def _created(future: Any, settings: KafkaSettings) -> bool:
    try:
        future.result()
    except KafkaException as error:
        if error.args[0].code() == KafkaError.TOPIC_ALREADY_EXISTS:
            return False
        raise no_answer(error, "create topics", settings) from error
    return True


def topic_config(topic: Topic) -> dict[str, str]:
    """What keeps its records, as they are, for as long as they are declared to be kept."""
    forever = topic.retention_us == FOREVER
    return {
        "cleanup.policy": "delete",
        "retention.ms": "-1" if forever else str(topic.retention_us // 1000),
        "retention.bytes": "-1",
        # With the producer's time, records about the past would expire at once.
        "message.timestamp.type": "LogAppendTime",
        "compression.type": "producer",
        "max.message.bytes": str(_largest(topic)),
    }


def _largest(topic: Topic) -> int:
    return MAX_SEALED_BYTES if topic is DEAD_LETTERS else MAX_RECORD_BYTES


def _led(there: StoredTopics, settings: KafkaSettings, topic: Topic) -> Stored:
    """The topic, once all its partitions have a leader."""
    found: Stored | None = None

    def led() -> bool:
        nonlocal found
        found = there.stored(topic)
        return found is not None and found.led == found.partitions

    if not wait_until(led, _READY_SECONDS) or found is None:
        raise LogUnavailableError(
            f"{settings.bootstrap_servers} has no leader for all partitions of "
            f"{topic_name(settings.topic_prefix, topic)}"
        )
    return found
