"""Membership in a group of which every member reads some topics whole.

For work that is divided by something else than the partition in which a record lies: each member
is given all of it, and takes what is its own.
"""

import asyncio
from collections.abc import Iterable, Mapping

from eventlog.port import EventLog
from eventlog.topics import Topic
from projections.broadcast.reader import WholeTopic
from projections.faust.membership import Assigned, Consume, Membership, TopicPartition


class BroadcastMembership:
    """Implements projections.faust.membership.Membership: what `group` shares among its members,
    and beside it all partitions of the topics that are read `whole`.

    Names of topics are given and told with `prefix` before them.
    """

    def __init__(
        self, group: Membership, log: EventLog, whole: Iterable[Topic], prefix: str = ""
    ) -> None:
        self._group = group
        self._whole = {
            prefix + topic.name: WholeTopic(log, topic, prefix + topic.name) for topic in whole
        }
        self._reading: list[asyncio.Task[None]] = []
        self._broken = asyncio.Event()

    def bind(self, topics: Iterable[str], assigned: Assigned, consume: Consume) -> None:
        every = frozenset(tp for each in self._whole.values() for tp in each.partitions)
        self._consume = consume

        def ours(shared: frozenset[TopicPartition]) -> None:
            for each in self._whole.values():
                each.rest()
            assigned(shared | every)

        self._group.bind([each for each in topics if each not in self._whole], ours, consume)

    async def start(self) -> None:
        for each in self._whole.values():
            task = asyncio.create_task(each.run(self._consume))
            task.add_done_callback(lambda _: self._broken.set())
            self._reading.append(task)
        await self._group.start()

    async def stop(self) -> None:
        for each in self._whole.values():
            each.close()
        await asyncio.gather(*self._reading, return_exceptions=True)
        await self._group.stop()

    async def failed(self) -> None:
        group = asyncio.ensure_future(self._group.failed())
        broken = asyncio.ensure_future(self._broken.wait())
        try:
            await asyncio.wait({group, broken}, return_when=asyncio.FIRST_COMPLETED)
            for each in (group, *self._reading):
                if each.done():
                    each.result()
        finally:
            group.cancel()
            broken.cancel()

    async def seek(self, positions: Mapping[TopicPartition, int]) -> None:
        shared = {tp: at for tp, at in positions.items() if tp[0] not in self._whole}
        if shared:
            await self._group.seek(shared)
        for name, each in self._whole.items():
            if starts := {p: at for (topic, p), at in positions.items() if topic == name}:
                each.seek(starts)

    def hold(self, topic: str, partition: int, on: bool) -> None:
        if topic in self._whole:
            raise ValueError(f"{topic} is read whole, and not held")
        self._group.hold(topic, partition, on)

    async def ends(self, partitions: Iterable[TopicPartition]) -> Mapping[TopicPartition, int]:
        asked = set(partitions)
        found = dict(await self._group.ends([tp for tp in asked if tp[0] not in self._whole]))
        for name, each in self._whole.items():
            if any(topic == name for topic, _ in asked):
                found |= {(name, p): end for p, end in (await each.ends()).items()}
        return {tp: end for tp, end in found.items() if tp in asked}
