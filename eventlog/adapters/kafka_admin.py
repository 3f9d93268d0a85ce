"""Creation of topics; none is ever deleted or altered."""

from collections.abc import Iterable
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import NewTopic

from domain.errors import LogUnavailableError
from eventlog.adapters.kafka_errors import no_answer
from eventlog.adapters.kafka_topics import StoredTopics
from eventlog.settings import KafkaSettings, topic_name
from eventlog.topics import DEAD_LETTERS, FOREVER, TOPICS, Topic
from host.processes import wait_until

MAX_RECORD_BYTES = 2 * 1024 * 1024
# A dead letter holds any record, sealed and in base64.
MAX_SEALED_BYTES = 2 * MAX_RECORD_BYTES
_READY_SECONDS = 30.0


def ensure_topics(
    bootstrap_servers: str,
    *,
    prefix: str = "",
    topics: Iterable[Topic] = TOPICS,
    replication: int = 1,
) -> list[str]:
    """Creates what is missing and returns the names created. Safe when called concurrently.

    Raises IntegrityError for a topic that is there with another partition count, and
    LogUnavailableError. When it returns, the topics can be written and read.
    """
    settings = KafkaSettings(bootstrap_servers, prefix)
    there = StoredTopics(settings)
    wanted = list(topics)
    missing = [topic for topic in wanted if there.stored(topic) is None]
    created = _create(there.client, settings, missing, replication) if missing else []
    for topic in wanted:
        _await_leaders(there, settings, topic)
        there.bounds(topic)
    return created


def _create(
    client: Any, settings: KafkaSettings, topics: list[Topic], replication: int
) -> list[str]:
    requested = [
        NewTopic(
            topic_name(settings.topic_prefix, topic),
            num_partitions=topic.partitions,
            replication_factor=replication,
            config=_config(topic, replication),
        )
        for topic in topics
    ]
    futures = client.create_topics(requested, request_timeout=settings.request_timeout)
    return [name for name, future in futures.items() if _created(future, settings)]


def _created(future: Any, settings: KafkaSettings) -> bool:
    try:
        future.result()
    except KafkaException as error:
        if error.args[0].code() == KafkaError.TOPIC_ALREADY_EXISTS:
            return False
        raise no_answer(error, "create topics", settings) from error
    return True


def _config(topic: Topic, replication: int) -> dict[str, str]:
    forever = topic.retention_us == FOREVER
    return {
        "cleanup.policy": "delete",
        "retention.ms": "-1" if forever else str(topic.retention_us // 1000),
        "retention.bytes": "-1",
        # With the producer's time, records about the past would expire at once.
        "message.timestamp.type": "LogAppendTime",
        "compression.type": "producer",
        "max.message.bytes": str(_largest(topic)),
        "min.insync.replicas": str(min(replication, 2)),
    }


def _largest(topic: Topic) -> int:
    return MAX_SEALED_BYTES if topic is DEAD_LETTERS else MAX_RECORD_BYTES


def _await_leaders(there: StoredTopics, settings: KafkaSettings, topic: Topic) -> None:
    def led() -> bool:
        found = there.stored(topic)
        return found is not None and found.led == found.partitions

    if not wait_until(led, _READY_SECONDS):
        raise LogUnavailableError(
            f"{settings.bootstrap_servers} has no leader for all partitions of "
            f"{topic_name(settings.topic_prefix, topic)}"
        )
