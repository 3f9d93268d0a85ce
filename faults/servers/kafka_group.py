"""Consumer groups of the simulated Kafka: membership, rebalances, and batches of records.

As Kafka's coordinator and aiokafka do it: a member that is not heard of for its session's length
loses its partitions (one that stands still notices only later, and works on meanwhile); one that
comes back under its own instance id has the same partitions at once (KIP-345); members learn of
an assignment one after the other, so that for a while two may hold a partition. What was fetched
before an assignment is handed out after it.
"""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Protocol

from eventlog.batch import Batch
from eventlog.port import Recorded
from eventlog.topics import by_name
from faults.loop.process import Process, within
from faults.servers.kafka import Cluster, Partition
from projections.faust.membership import Assigned, Consume
from projections.faust.membership import TopicPartition as Place

SESSION_SECONDS = 10.0
_BUFFERED = 4
_TOGETHER = 0.8
_MOST_RECORDS = 20
_FETCH_SECONDS = 0.02
_LATE_SHARE, _LATE_SECONDS = 0.1, 1.0  # of what is handed out
_IDLE_SECONDS = 5.0


class Member(Protocol):
    """What the coordinator knows of a member, and tells it."""

    topics: list[str]
    heard: float

    def told(self, generation: int, owned: frozenset[Place]) -> None: ...
    def heartbeat(self, name: str) -> None: ...
    def unread(self) -> list[Place]: ...


class Group:
    """The coordinator of one group. With `sole` one member has everything."""

    def __init__(self, cluster: Cluster, sole: bool = False) -> None:
        self.cluster, self._sole = cluster, sole
        self._trouble, self._loop = cluster.trouble, cluster.trouble.loop
        self._members: dict[str, Member] = {}
        self._owned: dict[str, frozenset[Place]] = {}
        self._generation = 0

    def join(self, member: Member, instance: str) -> None:
        known = instance in self._members
        self._members[instance] = member
        if known:
            self._tell(instance)
        else:
            self._rebalance()

    def unread(self) -> list[Place]:
        """Partitions that their owner has not read to the end, or that have no owner."""
        return sorted({place for each in self._members.values() for place in each.unread()})

    def watch(self) -> None:
        """Loses members whose session is over, for ever."""
        now = self._loop.time()
        gone = [name for name, each in self._members.items() if now - each.heard > SESSION_SECONDS]
        for name in gone:
            del self._members[name]
            self._trouble.met["session over"] += 1
        for name, each in self._members.items():
            # One that was told to be gone joins anew with its next heartbeat.
            each.heartbeat(name)
        if gone:
            self._rebalance()
        within(None, self._loop.call_later, SESSION_SECONDS / 5, self.watch)

    def has(self, instance: str, member: Member) -> bool:
        return self._members.get(instance) is member

    def owned(self) -> Mapping[str, frozenset[Place]]:
        """Of each member, as the coordinator has dealt them out."""
        return self._owned

    def _rebalance(self) -> None:
        self._trouble.met["rebalance"] += 1
        self._generation += 1
        names = sorted(self._members)
        if not names:
            return
        topics = sorted({topic for each in self._members.values() for topic in each.topics})
        places = [(topic, n) for topic in topics for n in range(by_name(topic).partitions)]
        owners = names[:1] if self._sole else names
        self._owned = {
            name: frozenset(
                place
                for at, place in enumerate(places)
                if name in owners and owners[at % len(owners)] == name
            )
            for name in names
        }
        for name in names:
            self._tell(name)

    def _tell(self, name: str) -> None:
        member, owned = self._members[name], self._owned.get(name, frozenset())
        within(
            None,
            self._loop.call_later,
            self._trouble.delay(1.0),
            member.told,
            self._generation,
            owned,
        )


class SimulatedMembership:
    """Implements projections.faust.membership.Membership for one process."""

    def __init__(self, group: Group, process: Process, instance: str) -> None:
        self._group, self._process, self._instance = group, process, instance
        self._cluster, self._trouble = group.cluster, group.cluster.trouble
        self._loop = group.cluster.trouble.loop
        self.topics: list[str] = []
        self.heard = 0.0
        self._generation = 0
        self._owned: frozenset[Place] = frozenset()
        self._positions: dict[Place, int] = {}
        self._held: set[Place] = set()
        self._queues: dict[str, asyncio.Queue[Batch]] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def bind(self, topics: Iterable[str], assigned: Assigned, consume: Consume) -> None:
        self.topics = list(topics)
        self._assigned, self._consume = assigned, consume

    async def start(self) -> None:
        self._process.check()
        for topic in self.topics:
            self._queues[topic] = asyncio.Queue(_BUFFERED)
            self._tasks += [
                self._loop.create_task(self._fetch(topic)),
                self._loop.create_task(self._hand_out(topic)),
            ]
        self.heard = self._loop.time()
        self._group.join(self, self._instance)

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def failed(self) -> None:
        """The simulated client does not crash."""
        await self._loop.create_future()

    async def seek(self, positions: Mapping[Place, int]) -> None:
        self._process.check()
        self._positions.update({p: at for p, at in positions.items() if p in self._owned})
        for topic in sorted({topic for topic, _ in positions}):
            self._cluster.changed(topic).tell()

    def hold(self, topic: str, partition: int, on: bool) -> None:
        (self._held.add if on else self._held.discard)((topic, partition))
        self._cluster.changed(topic).tell()

    async def ends(self, places: Iterable[Place]) -> Mapping[Place, int]:
        await asyncio.sleep(self._trouble.delay(0.01))
        return {(t, n): self._cluster.partitions(by_name(t))[n].end for t, n in places}

    def unread(self) -> list[Place]:
        """What is left to fetch or to hand out of what is ours."""
        waiting = [batch for queue in self._queues.values() for batch in queue._queue]  # type: ignore[attr-defined]
        return [
            (topic, n)
            for topic, n in self._owned
            if self._positions.get((topic, n)) != self._partitions(topic)[n].end
        ] + [(batch.topic, batch.partition) for batch in waiting]

    def heartbeat(self, name: str) -> None:
        """Asked by the coordinator; answered when the process gets to run."""
        within(self._process, self._loop.call_soon, self._beat, name)

    def told(self, generation: int, owned: frozenset[Place]) -> None:
        """By the coordinator: all that is ours from now on."""
        within(self._process, self._loop.call_soon, self._take, generation, owned)

    def _beat(self, name: str) -> None:
        self.heard = self._loop.time()
        if not self._group.has(name, self):
            self._group.join(self, name)

    def _take(self, generation: int, owned: frozenset[Place]) -> None:
        if generation < self._generation:
            return
        self._generation = generation
        self._owned = owned
        self._positions = {}
        self._held.clear()
        self._assigned(owned)

    async def _fetch(self, topic: str) -> None:
        """Fills the queue of a topic, one partition after another."""
        queue, changed = self._queues[topic], self._cluster.changed(topic)
        while True:
            ready = self._ready(topic)
            if not ready:
                await changed.wait(_IDLE_SECONDS, lambda: bool(self._ready(topic)))
                continue
            number = self._trouble.chance.choice(ready)
            await asyncio.sleep(self._trouble.delay(_FETCH_SECONDS))
            batch = self._fetched(topic, number)
            if batch is not None:
                await queue.put(batch)

    def _ready(self, topic: str) -> list[int]:
        """Its partitions that are ours, have a leader, and hold what was not fetched yet."""
        positions, partitions = self._positions, self._partitions(topic)
        return [
            number
            for (name, number), at in positions.items()
            if name == topic
            and partitions[number].end != at
            and (name, number) not in self._held
            and self._cluster.led(partitions[number])
        ]

    def _fetched(self, topic: str, number: int) -> Batch | None:
        place, partition = (topic, number), self._partitions(topic)[number]
        at = self._positions.get(place)
        if at is None:
            return None
        if not partition.first <= at <= partition.end:
            # `auto.offset.reset` is the earliest.
            self._trouble.met["offset out of range"] += 1
            self._positions[place] = at = partition.first
        found = partition.since(at, self._trouble.chance.randint(1, _MOST_RECORDS))
        if not found:
            return None
        self._positions[place] = found[-1].position.offset + 1
        return Batch(topic, number, [_raw(each) for each in found], partition.end)

    def _partitions(self, topic: str) -> list[Partition]:
        return self._cluster.partitions(by_name(topic))

    async def _hand_out(self, topic: str) -> None:
        queue = self._queues[topic]
        while True:
            batches = {(first := await queue.get()).partition: first}
            if self._trouble.chance.random() < _LATE_SHARE:
                await asyncio.sleep(self._trouble.chance.uniform(0, _LATE_SECONDS))
            # What has come meanwhile of other partitions is handed out with it, as one fetch.
            while not queue.empty() and self._trouble.chance.random() < _TOGETHER:
                following = queue.get_nowait()
                if following.partition in batches:
                    await self._consume(list(batches.values()))
                    batches = {}
                batches[following.partition] = following
            await self._consume(list(batches.values()))


def _raw(record: Recorded) -> tuple[int, bytes | None, bytes | None]:
    key = None if record.key is None else record.key.encode()
    return record.position.offset, key, record.value
