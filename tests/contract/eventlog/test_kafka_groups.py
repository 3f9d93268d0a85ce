"""How far readers have come, as a real server keeps it."""

from collections.abc import Mapping
from contextlib import closing

from confluent_kafka import Consumer, TopicPartition

from domain.errors import LogUnavailableError
from eventlog.adapters.kafka_connection import connection
from eventlog.adapters.kafka_groups import KafkaGroups
from eventlog.settings import KafkaSettings, topic_name
from eventlog.topics import TRANSACTIONS
from host.processes import wait_until

ENDS = [10] * TRANSACTIONS.partitions


def test_only_those_who_read_now_keep_an_import_waiting(kafka: KafkaSettings) -> None:
    groups, names = KafkaGroups(kafka), ["features", "offline"]

    def unread() -> Mapping[str, int] | None:
        """None while the server is still about to know its groups."""
        try:
            return groups.unread(names, ENDS)
        except LogUnavailableError:
            return None

    assert wait_until(lambda: unread() == {}, 60.0)
    topic = topic_name(kafka.topic_prefix, TRANSACTIONS)
    group = f"{kafka.topic_prefix}retrace.features"
    settings = {"group.id": group, "enable.auto.commit": False}
    with closing(Consumer(connection(kafka) | settings)) as consumer:
        consumer.subscribe([topic])

        def assigned() -> bool:
            consumer.poll(0.1)
            return bool(consumer.assignment())

        assert wait_until(assigned, 30.0)
        consumer.commit(offsets=[TopicPartition(topic, 0, 4)], asynchronous=False)
        assert wait_until(lambda: unread() == {"features": sum(ENDS) - 4}, 30.0)
    assert wait_until(lambda: unread() == {}, 30.0)
