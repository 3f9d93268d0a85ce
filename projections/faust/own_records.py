"""Records that a worker has appended itself: handled once they are acknowledged, not when fetched.

An acknowledged offset that is the next of its partition needs no fetch: nobody wrote in between.
Any other waits for the fetch, which brings all of them again in any case.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from eventlog.batch import Batch, Record
from projections.faust.membership import TopicPartition

_MOST = 5_000
"""Of a topic that wait for their turn at once; a fetch brings what comes beyond."""


class OwnRecords:
    """Handles each in the turn of its topic, where it comes `next` of its partition by then."""

    def __init__(
        self,
        turns: Mapping[str, asyncio.Lock],
        nexts: Mapping[TopicPartition, int],
        handle: Callable[[Sequence[Batch]], Awaitable[None]],
        most: int = _MOST,
    ) -> None:
        self._turns, self._nexts, self._handle, self._most = turns, nexts, handle, most
        self._waiting: dict[str, dict[tuple[int, int], Record]] = {topic: {} for topic in turns}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def add(self, topic: str, partition: int, record: Record) -> None:
        waiting = self._waiting[topic]
        if len(waiting) == self._most:
            return
        waiting[partition, record[0]] = record
        if topic not in self._tasks:
            task = self._tasks[topic] = asyncio.create_task(self._in_turn(topic))
            task.add_done_callback(lambda _: self._tasks.pop(topic))

    async def _in_turn(self, topic: str) -> None:
        while waiting := self._waiting[topic]:
            async with self._turns[topic]:
                self._waiting[topic] = {}
                partitions = sorted({partition for partition, _ in waiting})
                runs = [self._run(topic, partition, waiting) for partition in partitions]
                if found := [each for each in runs if each.records]:
                    await self._handle(found)

    def _run(self, topic: str, partition: int, waiting: Mapping[tuple[int, int], Record]) -> Batch:
        """What follows the next offset of the partition without a gap."""
        at, records = self._nexts.get((topic, partition), -1), list[Record]()
        while record := waiting.get((partition, at)):
            records.append(record)
            at += 1
        return Batch(topic, partition, records, at)
