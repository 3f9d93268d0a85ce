"""Port of a worker: membership in a consumer group, which partitions are ours and their records."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Protocol

from eventlog.batch import Batch

TopicPartition = tuple[str, int]
"""Full name of a topic, its prefix included, and a partition."""
Assigned = Callable[[frozenset[TopicPartition]], None]
Consume = Callable[[Sequence[Batch]], Awaitable[None]]
"""Takes what was fetched together of one topic: one batch of each partition."""


class Membership(Protocol):
    """One member of a consumer group. All calls are made in one event loop, after `bind`.

    Nothing depends on offsets that the group may keep: each assignment is followed by a seek.
    """

    def bind(self, topics: Iterable[str], assigned: Assigned, consume: Consume) -> None:
        """`assigned` is called after each rebalance, with all partitions that are ours from now on.

        It returns at once, and ends every hold. `consume` is awaited for one fetch of a topic at a
        time, topics side by side; batches of a partition come in offset order from where it was
        sought. Batches that were fetched earlier may still come after `assigned` and after a seek.
        """
        ...

    async def start(self) -> None:
        """Asks for partitions."""
        ...

    async def stop(self) -> None:
        """Leaves; nothing is consumed any more once it returns."""
        ...

    async def failed(self) -> None:
        """Raises what the member has ended of, once it has; else never returns."""
        ...

    async def seek(self, positions: Mapping[TopicPartition, int]) -> None:
        """These partitions are read from these offsets on; others that are ours stay as they are.

        What is not ours any more is passed over: `assigned` has been called, or will be. Raises
        UnavailableError where that cannot be done now; a retry is safe.
        """
        ...

    def hold(self, topic: str, partition: int, on: bool) -> None:
        """Stops fetching a partition, and fetches it again. Fetched records still come."""
        ...

    async def ends(self, partitions: Iterable[TopicPartition]) -> Mapping[TopicPartition, int]:
        """Per partition the offset after its last record. Raises where the log does not answer."""
        ...
