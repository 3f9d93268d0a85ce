"""Members of the group of owners: who has which partition, told late, and asked for now and then.

A process that begins anew is another member, and its earlier life keeps its partitions until its
session is over, as without an instance id of its own (KIP-345).
"""

import asyncio

from eventlog.ownership.members import Told
from faults.loop.process import Process, within
from faults.servers.kafka_group import Group
from projections.faust.membership import TopicPartition as Place

GROUP = "owners"
_HOP = 0.02
_UNTOLD = 0.2  # of the looks come while the group changes


class SimulatedMembers:
    """Implements eventlog.ownership.members.Members; the name of the process is its URL."""

    def __init__(self, group: Group, process: Process, topic: str) -> None:
        self._group, self._process, self._trouble = group, process, group.cluster.trouble
        self._loop = self._trouble.loop
        self.topics = [topic]
        self.heard = self._loop.time()
        self._mine: frozenset[int] = frozenset()
        self._owners: dict[int, str] = {}
        self._generation = 0
        self._looking = False

    def start(self, told: Told) -> None:
        self._told = told
        self._loop.create_task(self._begin())

    def look(self) -> None:
        if not self._looking:
            self._looking = True
            self._loop.create_task(self._describe())

    def close(self) -> None:
        """Nobody leaves in peace here."""

    def unread(self) -> list[Place]:
        """It reads nothing."""
        return []

    def heartbeat(self, name: str) -> None:
        within(self._process, self._loop.call_soon, self._beat, name)

    def told(self, generation: int, owned: frozenset[Place]) -> None:
        within(self._process, self._loop.call_soon, self._take, generation, owned)

    async def _begin(self) -> None:
        await self._describe()
        self._join()

    def _join(self) -> None:
        self.heard = self._loop.time()
        self._group.join(self, f"{self._process.name}#{self._trouble.chance.getrandbits(32)}")

    def _beat(self, name: str) -> None:
        self.heard = self._loop.time()
        if not self._group.has(name, self):
            # As a member that learns that its session is over.
            self._take(self._generation, frozenset())
            self._join()

    def _take(self, generation: int, owned: frozenset[Place]) -> None:
        if generation < self._generation:
            return
        self._generation = generation
        self._mine = frozenset(partition for _, partition in owned)
        us = self._process.name
        self._owners = {p: url for p, url in self._owners.items() if url != us}
        self._told(self._mine, self._owners)
        self.look()

    async def _describe(self) -> None:
        await asyncio.sleep(self._trouble.delay(_HOP))
        found = {
            partition: member.partition("#")[0]
            for member, places in self._group.owned().items()
            for _, partition in places
        }
        await asyncio.sleep(self._trouble.delay(_HOP))
        self._looking = False
        if found and self._trouble.chance.random() >= _UNTOLD:
            self._owners = found
            self._told(self._mine, found)
