"""In-memory Membership: a test assigns partitions and feeds batches by hand."""

import asyncio
from collections.abc import Iterable, Mapping

from eventlog.batch import Batch
from projections.faust.membership import Assigned, Consume, TopicPartition


class InMemoryMembership:
    """Implements projections.faust.membership.Membership; `ours` are assigned at the start."""

    def __init__(self, ours: Iterable[TopicPartition] = ()) -> None:
        self.ours = frozenset(ours)
        self.sought: list[dict[TopicPartition, int]] = []
        self.was_sought = asyncio.Event()
        self.held: set[TopicPartition] = set()
        self.log_ends: dict[TopicPartition, int] = {}
        self.stopped = False
        self._failure: asyncio.Future[None] | None = None
        self._crash: BaseException | None = None

    def bind(self, topics: Iterable[str], assigned: Assigned, consume: Consume) -> None:
        self.topics, self._assigned, self._consume = list(topics), assigned, consume

    async def start(self) -> None:
        self.assign(self.ours)

    def assign(self, partitions: Iterable[TopicPartition]) -> None:
        self.ours = frozenset(partitions)
        self.held.clear()
        self._assigned(self.ours)

    async def feed(self, *batches: Batch) -> None:
        """Returns once what was fetched together is consumed."""
        await self._consume(batches)

    async def stop(self) -> None:
        self.stopped = True

    async def failed(self) -> None:
        self._failure = asyncio.get_running_loop().create_future()
        if self._crash is not None:
            raise self._crash
        await self._failure

    def crash(self, error: BaseException) -> None:
        self._crash = error
        if self._failure is not None:
            self._failure.set_exception(error)

    async def seek(self, positions: Mapping[TopicPartition, int]) -> None:
        self.sought.append(dict(positions))
        self.was_sought.set()

    def hold(self, topic: str, partition: int, on: bool) -> None:
        (self.held.add if on else self.held.discard)((topic, partition))

    async def ends(self, partitions: Iterable[TopicPartition]) -> Mapping[TopicPartition, int]:
        return {tp: self.log_ends.get(tp, 0) for tp in partitions}
