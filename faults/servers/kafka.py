"""Kafka: topics on a cluster whose partitions lose their leader, are recreated, or answer late.

What is simulated, and where it is stated: an acknowledged record is in the log for ever and each
partition keeps the order in which an idempotent producer sent (KIP-98); a record whose delivery
timed out may be stored, then or later (librdkafka, `delivery.timeout.ms`); without a leader a
partition takes and gives nothing until the next one is chosen, which has all that was acknowledged
(KIP-101, acks=all); a read beyond the end is out of range.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from eventlog.port import Position, Recorded
from eventlog.topics import Topic
from faults.loop.clock import Signal
from faults.servers.trouble import Trouble


@dataclass(slots=True)
class Partition:
    """`first` is the offset of the first record kept, `end` that of the next one to come; without
    a leader until `led_from`."""

    records: list[Recorded] = field(default_factory=list)
    first: int = 0
    end: int = 0
    led_from: float = 0.0

    def add(self, recorded: Recorded) -> None:
        self.records.append(recorded)
        self.end += 1

    def since(self, offset: int, most: int) -> Sequence[Recorded]:
        at = max(0, offset - self.first)
        return self.records[at : at + most]


class Cluster:
    """The brokers. `away_until` keeps all of them away from everyone."""

    def __init__(self, trouble: Trouble) -> None:
        self.trouble = trouble
        self.away_until = 0.0
        self.made = 1  # how often its topics were created
        # What lies below is deleted of TRANSACTIONS; all readers but ledgers have passed it.
        self.deleted: dict[int, int] = {}
        self._topics: dict[str, list[Partition]] = {}
        self._changed: dict[str, Signal] = {}

    def partitions(self, topic: Topic) -> list[Partition]:
        found = self._topics.get(topic.name)
        if found is None:
            found = self._topics[topic.name] = [Partition() for _ in range(topic.partitions)]
        return found

    def changed(self, topic: str) -> Signal:
        """Told when records come, and when a leader is there again."""
        if topic not in self._changed:
            self._changed[topic] = Signal(self.trouble.loop)
        return self._changed[topic]

    def led(self, partition: Partition) -> bool:
        return max(self.away_until, partition.led_from) <= self.trouble.loop.time()

    def store(self, topic: Topic, number: int, key: str | None, value: bytes) -> Position:
        partition = self.partitions(topic)[number]
        position = Position(topic.name, number, partition.end)
        partition.add(Recorded(position, key, value))
        self.changed(topic.name).tell()
        return position

    def lead_again(self, seconds: float, topic: Topic, number: int) -> None:
        """The leader is lost; the next one leads after so many seconds."""
        loop = self.trouble.loop
        self.partitions(topic)[number].led_from = loop.time() + seconds
        loop.call_later(seconds, self.changed(topic.name).tell)

    def go_away(self, seconds: float) -> None:
        loop = self.trouble.loop
        self.away_until = loop.time() + seconds
        for name in self._topics:
            loop.call_later(seconds, self.changed(name).tell)

    def expire(self, topic: Topic) -> None:
        """All that is there is older than the topic's retention, and deleted."""
        for partition in self.partitions(topic):
            partition.first, partition.records = partition.end, []

    def recreate(self) -> None:
        """All topics are new and empty, as after a loss of all disks."""
        self.made += 1
        self.deleted.clear()
        for partitions in self._topics.values():
            for partition in partitions:
                partition.records, partition.first, partition.end = [], 0, 0
