"""Owns the order of the ideal set: (known time, topic rank, partition, offset) over partitions.

Each partition is a queue in offset order; the least head goes first, as long as no partition can
still come up with a lesser one. One topic is merged, so its rank plays no part.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from domain.features import FeatureEvent
from domain.transactions import Transaction
from projections.ports import Verdict


@dataclass(frozen=True, slots=True)
class Entry:
    """One record. `arrived` is monotonic seconds; `transaction` is set where a vector is due."""

    partition: int
    offset: int
    known_time: int
    arrived: float
    verdict: Verdict
    event: FeatureEvent | None
    transaction: Transaction | None


class Merge:
    """`settle` seconds after a record came, an idle partition no longer holds it back."""

    def __init__(self, partitions: int, settle: float = 2.0) -> None:
        self._queues: list[deque[Entry]] = [deque() for _ in range(partitions)]
        self._idle_at = [float("-inf")] * partitions
        self._settle = settle
        self._greatest = -(1 << 62)
        self.stragglers = 0

    def add(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            self._queues[entry.partition].append(entry)

    def idle(self, partition: int, moment: float) -> None:
        """At `moment` (monotonic) the log held nothing of the partition that was not added."""
        self._idle_at[partition] = moment

    def waiting(self, partition: int) -> int:
        return len(self._queues[partition])

    def take(self, most: int) -> Iterator[Entry]:
        """What may go now, in order, at most so many."""
        for _ in range(most):
            heads = [queue[0] for queue in self._queues if queue]
            if not heads:
                return
            least = min(heads, key=lambda e: (e.known_time, e.partition, e.offset))
            if not self._may_go(least):
                return
            if least.event is not None and least.known_time < self._greatest:
                self.stragglers += 1
            self._greatest = max(self._greatest, least.known_time)
            yield self._queues[least.partition].popleft()

    def _may_go(self, entry: Entry) -> bool:
        return all(
            queue or idle_at >= entry.arrived + self._settle
            for queue, idle_at in zip(self._queues, self._idle_at, strict=True)
        )
