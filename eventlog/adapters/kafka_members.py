"""KafkaMembers: the processes that share TRANSACTIONS, as a consumer group that consumes nothing.

A member's client id is its URL; who owns what is read from the description of the group. While the
group is changing it tells no owners, and the last ones known are kept.
"""

import logging
import threading
from collections.abc import Mapping
from time import monotonic
from typing import Any

from confluent_kafka import Consumer, KafkaException
from confluent_kafka.admin import AdminClient

from eventlog.adapters.kafka_connection import connection
from eventlog.ownership.members import Told
from eventlog.settings import KafkaSettings, topic_name
from eventlog.topics import TRANSACTIONS

logger = logging.getLogger(__name__)

# A member that was not heard of for so long has lost its partitions.
SESSION_SECONDS = 10.0
_POLL_SECONDS = 0.1
_LOOK_SECONDS = 5.0
_IDLE_SECONDS = 1.0
_SLOWEST_SECONDS = 300.0


class KafkaMembers:
    """Implements eventlog.ownership.members.Members, in a thread of its own."""

    def __init__(self, settings: KafkaSettings, url: str) -> None:
        self._settings, self._url = settings, url
        self._topic = topic_name(settings.topic_prefix, TRANSACTIONS)
        self._group = f"{settings.topic_prefix}retrace.owners"
        self._closing, self._asked = threading.Event(), threading.Event()
        self._mine: frozenset[int] = frozenset()
        self._owners: Mapping[int, str] = {}
        self._thread: threading.Thread | None = None
        self._looked = 0.0

    def start(self, told: Told) -> None:
        self._thread = threading.Thread(target=self._run, args=(told,), name="owners", daemon=True)
        self._thread.start()

    def look(self) -> None:
        self._asked.set()

    def close(self) -> None:
        self._closing.set()
        if self._thread is not None:
            self._thread.join(SESSION_SECONDS)

    def _run(self, told: Told) -> None:
        admin = AdminClient(connection(self._settings))
        # Before we join: while the group changes it tells of nobody.
        self._describe(admin, told)
        consumer = self._joined(told)
        try:
            while not self._closing.is_set():
                all_ours = len(self._mine) == TRANSACTIONS.partitions
                # Its callbacks tell of assignments; records never come, for all is paused.
                consumer.poll(_IDLE_SECONDS if all_ours else _POLL_SECONDS)
                overdue = monotonic() - self._looked > _LOOK_SECONDS
                if not all_ours and (self._asked.is_set() or overdue):
                    self._describe(admin, told)
        finally:
            consumer.close()

    def _joined(self, told: Told) -> Any:
        consumer = Consumer(
            connection(self._settings)
            | {
                "group.id": self._group,
                "client.id": self._url,
                "partition.assignment.strategy": "cooperative-sticky",
                "session.timeout.ms": int(SESSION_SECONDS * 1000),
                "heartbeat.interval.ms": int(SESSION_SECONDS * 100),
                "max.poll.interval.ms": int(_SLOWEST_SECONDS * 1000),
                "enable.auto.commit": False,
                "auto.offset.reset": "latest",
            }
        )

        def assigned(_: Any, partitions: list[Any]) -> None:
            consumer.incremental_assign(partitions)
            consumer.pause(partitions)
            self._are_mine(self._mine | {each.partition for each in partitions}, told)

        def revoked(_: Any, partitions: list[Any]) -> None:
            self._are_mine(self._mine - {each.partition for each in partitions}, told)
            consumer.incremental_unassign(partitions)

        consumer.subscribe([self._topic], on_assign=assigned, on_revoke=revoked, on_lost=revoked)
        return consumer

    def _are_mine(self, mine: frozenset[int], told: Told) -> None:
        self._mine = mine
        # What another one owned before is told by the next look.
        self._owners = {p: url for p, url in self._owners.items() if url != self._url}
        self._asked.set()
        told(self._mine, self._owners)

    def _describe(self, admin: Any, told: Told) -> None:
        self._asked.clear()
        self._looked = monotonic()
        asked = admin.describe_consumer_groups(
            [self._group], request_timeout=self._settings.request_timeout
        )
        try:
            members = asked[self._group].result().members
        except KafkaException as error:
            logger.debug("the owners cannot be told: %s", error)
            return
        found = {
            place.partition: member.client_id
            for member in members
            if member.assignment is not None
            for place in member.assignment.topic_partitions
        }
        if found and found != self._owners:
            self._owners = found
            told(self._mine, found)
