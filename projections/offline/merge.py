"""Merge of the partitions into the ideal order: (known time, topic rank, partition, offset).

A record waits until no partition is expected to bring a smaller one. The transactions of a
partition say how far it has come; labels may be stated long before their known time, and wait for
it. A label that waits while a later one of its transaction goes first is overruled: it never
counts. What comes all the same is not held back: projections.offline.stragglers. One topic is
merged, so its rank plays no part.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from heapq import heappop, heappush

from domain.events import Envelope, TransactionImported, TransactionScored
from domain.features import Entity, FeatureEvent, decode_held, feature_event
from domain.records import record
from domain.times import SECOND
from projections.offline.skew import ServedVector
from projections.ports import CheckedRecord, RecordStatus

NEVER = -(1 << 62)
Place = tuple[int, int, int]
"""(known time in microseconds, partition, offset): the ideal order."""


@record(frozen=True, slots=True)
class Entry:
    """One record. `arrived` is seconds of the loop's clock; `wanted` where a vector is due, and
    `served` is what a decision recorded. `overruled` is told when it is taken."""

    partition: int
    offset: int
    known_time: int
    arrived: float
    status: RecordStatus
    event: FeatureEvent | None
    wanted: bool
    served: ServedVector | None = None
    overruled: bool = False

    @property
    def place(self) -> Place:
        return self.known_time, self.partition, self.offset


def is_wanted(envelope: Envelope) -> bool:
    """True for the facts that have a vector: a transaction decided, or imported as history."""
    return isinstance(envelope.data, TransactionScored | TransactionImported)


def entry_of(record: CheckedRecord, arrived: float) -> Entry:
    place, envelope = record.position, record.envelope
    counts = record.status == "counts" and envelope is not None
    data = envelope.data if envelope else None
    return Entry(
        place.partition,
        place.offset,
        # A record that cannot be decoded has no time: it waits for nothing.
        envelope.known_time if envelope else NEVER,
        arrived,
        record.status,
        feature_event(envelope) if counts and envelope else None,
        counts and envelope is not None and is_wanted(envelope),
        _served(data) if counts and isinstance(data, TransactionScored) else None,
    )


def _served(data: TransactionScored) -> ServedVector:
    versions = {Entity(entity): decode_held(text) for entity, text in data.versions.items()}
    return ServedVector(data.feature_set, data.features, versions)


class _Source:
    """One partition: how far it has come in known time, and its records that were not taken."""

    def __init__(self, taken: Iterable[int]) -> None:
        self.frontier = NEVER
        self.idle_at = float("-inf")
        self.waiting = 0
        self.unsettled: deque[Entry] = deque()
        self.out = set(taken)


class Merge:
    """A partition no longer holds a record back once it is `settle` seconds of known time past it,
    or was idle so long after the record came: appends are then acknowledged, or have failed.

    `taken` are offsets by partition that a merge before this one gave out: they are settled with
    the others, and not given out again.
    """

    def __init__(
        self, partitions: int, settle: float, taken: Callable[[int], Iterable[int]] = lambda _: ()
    ) -> None:
        self._sources = [_Source(taken(partition)) for partition in range(partitions)]
        self._heap: list[tuple[int, int, int, Entry]] = []
        self._settle, self._settle_us = settle, round(settle * SECOND)
        # Of each transaction its labels that wait, and whether they are overruled.
        self._labels: defaultdict[str, dict[int, tuple[int, bool]]] = defaultdict(dict)

    def add(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            source = self._sources[entry.partition]
            source.unsettled.append(entry)
            self._overrule(entry)
            if entry.offset in source.out:
                self._judged(entry)
            else:
                heappush(self._heap, (entry.known_time, entry.partition, entry.offset, entry))
                source.waiting += 1
            if entry.known_time > NEVER and (entry.event is None or entry.event.label is None):
                # Not back again: an import of the past beside live traffic would hold all of it up.
                source.frontier = max(source.frontier, entry.known_time)

    def idle(self, partition: int, moment: float) -> None:
        """At `moment` of the loop's clock all that the log held of the partition was added."""
        self._sources[partition].idle_at = moment

    def hurries(self, partition: int, most: int) -> bool:
        """True where more than `most` of its records wait for another partition."""
        source = self._sources[partition]
        least = min(each.frontier for each in self._sources)
        return source.waiting > most and source.frontier > least

    def take(self, most: int) -> Iterator[Entry]:
        """The next entries in the ideal order that wait for nothing, at most so many.

        One that came too late for its place comes next.
        """
        for _ in range(most):
            if not self._heap or not self._may_go(self._heap[0][3]):
                return
            entry = heappop(self._heap)[3]
            source = self._sources[entry.partition]
            source.waiting -= 1
            source.out.add(entry.offset)
            yield self._judged(entry)

    def settled(self, partition: int) -> Iterator[Entry]:
        """In offset order, each once: entries taken together with all before them."""
        source = self._sources[partition]
        while source.unsettled and source.unsettled[0].offset in source.out:
            entry = source.unsettled.popleft()
            source.out.discard(entry.offset)
            yield entry

    def ahead(self, partition: int) -> Collection[int]:
        """Offsets taken while one before them waits."""
        return self._sources[partition].out

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
        place = (entry.known_time + self._settle_us, entry.partition)
        settled = entry.arrived + self._settle
        return all(
            (source.frontier, partition) >= place or source.idle_at >= settled
            for partition, source in enumerate(self._sources)
        )
