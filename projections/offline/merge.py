"""Merge of the partitions into the ideal order: (known time, topic rank, partition, offset).

A record waits until no partition can still bring a smaller one. The transactions of a partition
say how far it has come; labels may be stated long before their known time, and wait for it. A
label that waits while a later one of its transaction goes first is overruled: it never counts. One
topic is merged, so its rank plays no part.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from heapq import heappop, heappush

from domain.features import FeatureEvent
from projections.offline.skew import ServedVector
from projections.ports import RecordStatus

NEVER = -(1 << 62)


@dataclass(frozen=True, slots=True)
class Entry:
    """One record. `arrived` is monotonic seconds; `wanted` where a vector is due, and `served`
    is what a decision recorded. `overruled` is told when it is taken."""

    partition: int
    offset: int
    known_time: int
    arrived: float
    status: RecordStatus
    event: FeatureEvent | None
    wanted: bool
    served: ServedVector | None = None
    overruled: bool = False


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
        # Of each transaction its labels that wait, and whether they are overruled.
        self._labels: defaultdict[str, dict[int, tuple[int, bool]]] = defaultdict(dict)
        self._greatest = NEVER
        self.stragglers = 0

    def add(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            source = self._sources[entry.partition]
            heappush(self._heap, (entry.known_time, entry.partition, entry.offset, entry))
            source.unsettled.append(entry)
            source.waiting += 1
            self._overrule(entry)
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
            yield self._judged(entry)

    def settled(self, partition: int) -> Iterator[Entry]:
        """In offset order, each once: entries taken together with all before them."""
        source = self._sources[partition]
        while source.unsettled and source.unsettled[0].offset in source.out:
            entry = source.unsettled.popleft()
            source.out.discard(entry.offset)
            yield entry

    def _overrule(self, label: Entry) -> None:
        if label.event is None or label.event.label is None:
            return
        waiting = self._labels[label.event.transaction_id]
        for offset, (known, overruled) in waiting.items():
            waiting[offset] = known, overruled or known > label.known_time
        waiting[label.offset] = label.known_time, False

    def _judged(self, entry: Entry) -> Entry:
        if entry.event is None or entry.event.label is None:
            return entry
        waiting = self._labels[entry.event.transaction_id]
        _, overruled = waiting.pop(entry.offset)
        if not waiting:
            del self._labels[entry.event.transaction_id]
        return replace(entry, overruled=True) if overruled else entry

    def _may_go(self, entry: Entry) -> bool:
        if entry.known_time == NEVER:
            return True
        # At equal times a lesser partition goes first, so it must be past that time, not at it.
        place, settled = (entry.known_time, entry.partition), entry.arrived + self._settle
        return all(
            (source.frontier, partition) >= place or source.idle_at >= settled
            for partition, source in enumerate(self._sources)
        )
