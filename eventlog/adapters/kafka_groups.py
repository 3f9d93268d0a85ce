"""How far the readers of TRANSACTIONS have come, by the offsets that their groups keep in Kafka.

These are hints, a second old or so: positions are stored with what a reader makes.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from confluent_kafka import (
    ConsumerGroupState,
    ConsumerGroupTopicPartitions,
    KafkaError,
    KafkaException,
)
from confluent_kafka import TopicPartition as Place
from confluent_kafka.admin import AdminClient

from domain.errors import LogUnavailableError
from eventlog.adapters.kafka_connection import connection
from eventlog.settings import KafkaSettings, topic_name
from eventlog.topics import TRANSACTIONS

_WITHOUT_MEMBERS = (ConsumerGroupState.EMPTY, ConsumerGroupState.DEAD)


class KafkaGroups:
    """Groups by the names of their workers. Connects on first use."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._admin = AdminClient(connection(settings))
        topic = topic_name(settings.topic_prefix, TRANSACTIONS)
        self._places = [Place(topic, partition) for partition in range(TRANSACTIONS.partitions)]

    def unread(self, names: Sequence[str], ends: Sequence[int]) -> Mapping[str, int]:
        """Records below `ends` that each has still to handle; of those alone that read now.

        What has no members keeps nobody waiting. Raises LogUnavailableError.
        """
        groups = {f"{self._settings.topic_prefix}retrace.{name}": name for name in names}
        seconds = self._settings.request_timeout
        try:
            told = self._admin.describe_consumer_groups(list(groups), request_timeout=seconds)
            reading = [group for group, each in told.items() if _has_members(each)]
            asked = [
                self._admin.list_consumer_group_offsets(
                    [ConsumerGroupTopicPartitions(group, self._places)], request_timeout=seconds
                )[group]
                for group in reading
            ]
            kept = [each.result().topic_partitions for each in asked]
        except KafkaException as error:
            servers = self._settings.bootstrap_servers
            raise LogUnavailableError(f"{servers} does not tell of its readers: {error}") from error
        return {
            groups[group]: sum(max(0, ends[at.partition] - max(0, at.offset)) for at in places)
            for group, places in zip(reading, kept, strict=True)
        }


def _has_members(told: Any) -> bool:
    try:
        return told.result().state not in _WITHOUT_MEMBERS
    except KafkaException as error:
        # As a server of Kafka 4 says of a group that never was.
        if error.args[0].code() == KafkaError.GROUP_ID_NOT_FOUND:
            return False
        raise
