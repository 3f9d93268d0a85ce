"""An archive in memory: what counts of a log, up to some offset of each partition it names."""

from collections.abc import Mapping, Sequence

from domain.errors import NotFoundError
from eventlog.admission.dict_memory import DictMemory
from eventlog.admission.first_wins import Admission
from eventlog.codec import decode
from eventlog.in_memory import InMemoryEventLog, InMemoryTail
from eventlog.index.blocks import Reached, mark_of
from eventlog.index.entries import about, entry_of, name_of, sorted_pairs
from eventlog.index.ports import ArchivedEntries
from eventlog.port import Position, Recorded
from eventlog.topics import TRANSACTIONS, Topic


class InMemoryArchive:
    """Implements eventlog.index.ports.Archived; `trouble` is raised where it is given."""

    def __init__(self, log: InMemoryEventLog, ends: Mapping[int, int]) -> None:
        upto = dict.fromkeys(range(TRANSACTIONS.partitions), 0) | dict(ends)
        self._records = list(log.read(TRANSACTIONS, None, upto))
        self.trouble: Exception | None = None

    def next(self, partition: int) -> int:
        if self.trouble:
            raise self.trouble
        return len(self._of(partition))

    def entries(self, partition: int) -> ArchivedEntries:
        admission, pairs = Admission(DictMemory()), []
        for recorded in self._of(partition):
            envelope, offset = decode(recorded.value), recorded.position.offset
            if admission.admit(envelope, partition, offset) and (found := about(envelope)):
                pairs.append((name_of(found[0]), entry_of(offset, found[1])))
        last = self._of(partition)[-1]
        reached = Reached(last.position.offset + 1, last.position.offset, mark_of(last.value))
        return ArchivedEntries(sorted_pairs(pairs), reached)

    def record(self, partition: int, offset: int) -> Recorded:
        held = self._of(partition)
        if offset >= len(held):
            raise NotFoundError("record", f"{partition}/{offset}")
        return held[offset]

    def _of(self, partition: int) -> list[Recorded]:
        return [each for each in self._records if each.position.partition == partition]


class ShortLog(InMemoryEventLog):
    """A log that has deleted what lies below `first` of each partition."""

    first = 0

    def bounds(self, topic: Topic) -> tuple[Sequence[int], Sequence[int]]:
        _, ends = super().bounds(topic)
        return [min(self.first, end) for end in ends], ends

    def read_one(self, position: Position) -> Recorded:
        if position.offset < self.first:
            raise NotFoundError("record", f"{position.partition}/{position.offset}")
        return super().read_one(position)

    def tail(
        self, topic: Topic, start: Mapping[int, int], *, gathered: bool = False
    ) -> InMemoryTail:
        return HastyTail(self, topic, start)


class HastyTail(InMemoryTail):
    """Whoever closes it does not wait long."""

    def poll(self, timeout: float, most: int = 1000) -> list[Recorded]:
        return super().poll(timeout / 50, most)
