"""Progress and skew that were counted and are not written yet."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from projections.offline.merge import Entry
from projections.offline.port import Progress
from projections.offline.skew import Tallies, Tally


@dataclass(slots=True)
class Unwritten:
    """Positions are the offsets after the last records counted."""

    progress: dict[int, Progress] = field(default_factory=dict)
    tallies: Tallies = field(default_factory=dict)

    def settle(self, entries: Sequence[Entry]) -> None:
        """Of one partition, in offset order."""
        found, last = Counter(each.status for each in entries), entries[-1]
        self._progress(
            last.partition, Progress(last.offset + 1, found["counts"], found["void"], found["dead"])
        )

    def add(self, other: "Unwritten") -> None:
        for partition, progress in other.progress.items():
            self._progress(partition, progress)
        for key, tally in other.tallies.items():
            before = self.tallies.get(key, Tally())
            self.tallies[key] = Tally(
                before.compared + tally.compared, before.different + tally.different
            )

    def _progress(self, partition: int, more: Progress) -> None:
        before = self.progress.get(partition, Progress(0))
        self.progress[partition] = Progress(
            more.next,
            before.projected + more.projected,
            before.void + more.void,
            before.dead + more.dead,
        )


def together(parts: Iterable[Unwritten]) -> Unwritten:
    """In their order."""
    whole = Unwritten()
    for part in parts:
        whole.add(part)
    return whole
