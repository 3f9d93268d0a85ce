"""In-memory BatchProjection, with failures on demand."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from domain.errors import FencedError
from eventlog.port import Position
from eventlog.topics import TRANSACTIONS
from projections.ports import CheckedRecord, RecordStatus, UnfoldableError


@dataclass
class InMemoryProjection:
    """Implements projections.ports.BatchProjection; successors share what was committed.

    Refuses the offsets that `unfoldable` names; what is in `trouble` is raised first, one a call.
    """

    epochs: Counter[int] = field(default_factory=Counter)
    positions: dict[int, int] = field(default_factory=dict)
    statuses: dict[int, dict[int, RecordStatus]] = field(default_factory=lambda: defaultdict(dict))
    unfoldable: dict[int, str] = field(default_factory=dict)
    trouble: list[Exception] = field(default_factory=list)
    owned: dict[int, int] = field(default_factory=dict, init=False)
    handed_in: list[list[int]] = field(default_factory=list, init=False)

    name = "memory"
    topic = TRANSACTIONS.name

    def successor(self) -> "InMemoryProjection":
        return replace(self)

    def assign(self, partition: int) -> int:
        self.epochs[partition] += 1
        self.owned[partition] = self.epochs[partition]
        return self.positions.get(partition, 0)

    def project(self, batches: Mapping[int, Sequence[CheckedRecord]]) -> None:
        self.handed_in += [[each.position.offset for each in batch] for batch in batches.values()]
        if self.trouble:
            raise self.trouble.pop(0)
        fresh: dict[Position, RecordStatus] = {}
        for partition, batch in batches.items():
            if self.owned.get(partition) != self.epochs[partition]:
                raise FencedError(f"partition {partition} is not ours")
            start = self.positions.get(partition, 0)
            fresh |= {e.position: e.status for e in batch if e.position.offset >= start}
        bad = {
            place: self.unfoldable[place.offset]
            for place, status in fresh.items()
            if status == "counts" and place.offset in self.unfoldable
        }
        if bad:
            raise UnfoldableError(bad)
        for place, status in fresh.items():
            self.statuses[place.partition][place.offset] = status
            self.positions[place.partition] = place.offset + 1

    def revoke(self, partition: int) -> None:
        self.owned.pop(partition, None)

    def forget(self) -> None:
        self.epochs.update(list(self.epochs))
        self.positions.clear()
        self.statuses.clear()
