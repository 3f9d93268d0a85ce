"""Merge of the partitions into the ideal order: (known time, topic rank, partition, offset).

A record waits until no partition can still bring a smaller one. The transactions of a partition
say how far it has come; labels may be stated long before their known time, and wait for it. One
topic is merged, so its rank plays no part.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from heapq import heappop, heappush

from domain.features import FeatureEvent
from projections.offline.skew import ServedVector
from projections.ports import RecordStatus

NEVER = -(1 << 62)


@dataclass(frozen=True, slots=True)
class Entry:
    """One record. `arrived` is monotonic seconds; `wanted` where a vector is due, and `served`
    is what a decision recorded."""

    partition: int
    offset: int
    known_time: int
    arrived: float
    status: RecordStatus
    event: FeatureEvent | None
    wanted: bool
    served: ServedVector | None = None


class _Source:
    """One partition: how far it has come in known time, and its records that were not taken."""

    def __init__(self) -> None:
        self.frontier = NEVER
        self.idle_at = float("-inf")
        self.waiting = 0
        self.unsettled: deque[Entry] = deque()
        self.out: set[int] = set()


class Merge:
    """`settle` seconds after a record came, an idle partition no longer holds it back."""

    def __init__(self, partitions: int, settle: float = 2.0) -> None:
        self._sources = [_Source() for _ in range(partitions)]
        self._heap: list[tuple[int, int, int, Entry]] = []
        self._settle = settle
        self._greatest = NEVER
        self.stragglers = 0

    def add(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            source = self._sources[entry.partition]
            heappush(self._heap, (entry.known_time, entry.partition, entry.offset, entry))
            source.unsettled.append(entry)
            source.waiting += 1
            if entry.known_time > NEVER and (entry.event is None or entry.event.label is None):
                source.frontier = entry.known_time

    def idle(self, partition: int, moment: float) -> None:
        """At `moment` (monotonic) the log held nothing of the partition that was not added."""
        self._sources[partition].idle_at = moment

    def hurries(self, partition: int, most: int) -> bool:
        """True where more than `most` of its records wait for another partition."""
        source = self._sources[partition]
        least = min(each.frontier for each in self._sources)
        return source.waiting > most and source.frontier > least

    def take(self, most: int) -> Iterator[Entry]:
        """The next entries in the ideal order that wait for nothing, at most so many."""
        for _ in range(most):
            if not self._heap or not self._may_go(self._heap[0][3]):
                return
            entry = heappop(self._heap)[3]
            source = self._sources[entry.partition]
            source.waiting -= 1
            source.out.add(entry.offset)
            if entry.event is not None:
                self.stragglers += entry.known_time < self._greatest
                self._greatest = max(self._greatest, entry.known_time)
            yield entry

    def settled(self, partition: int) -> Iterator[Entry]:
        """In offset order, each once: entries taken together with all before them."""
        source = self._sources[partition]
        while source.unsettled and source.unsettled[0].offset in source.out:
            entry = source.unsettled.popleft()
            source.out.discard(entry.offset)
            yield entry

    def _may_go(self, entry: Entry) -> bool:
        if entry.known_time == NEVER:
            return True
        # At equal times a lesser partition goes first, so it must be past that time, not at it.
        place, settled = (entry.known_time, entry.partition), entry.arrived + self._settle
        return all(
            (source.frontier, partition) >= place or source.idle_at >= settled
            for partition, source in enumerate(self._sources)
        )
