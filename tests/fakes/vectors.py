"""In-memory VectorStore: several stores over one database, as a worker and those before it."""

from dataclasses import dataclass, field

from domain.errors import FencedError, UnavailableError
from domain.features import CATALOGUE, FeatureSet
from eventlog.topics import TRANSACTIONS
from projections.offline.port import Written
from projections.offline.skew import Tallies
from projections.offline.unwritten import Unwritten


class CrashError(Exception):
    """The process ends here."""


@dataclass(slots=True)
class VectorDatabase:
    """`trouble` comes with the next writes, one each: (before the write or after it, crash or
    lost connection). `rows` are float64 bytes by transaction id."""

    rows: dict[str, bytes] = field(default_factory=dict)
    counted: Unwritten = field(default_factory=Unwritten)
    epoch: int = 0
    trouble: list[tuple[bool, bool]] = field(default_factory=list)

    @property
    def tallies(self) -> Tallies:
        return self.counted.tallies

    def next(self, partition: int) -> int:
        held = self.counted.progress.get(partition)
        return held.next if held else 0


class InMemoryVectors:
    """Implements projections.offline.port.VectorStore."""

    def __init__(self, database: VectorDatabase, features: FeatureSet = CATALOGUE) -> None:
        self.database, self.features = database, features
        self._epoch = 0

    def take_over(self) -> dict[int, int]:
        self.database.epoch += 1
        self._epoch = self.database.epoch
        return {p: self.database.next(p) for p in range(TRANSACTIONS.partitions)}

    def write(self, written: Written) -> None:
        if not self._epoch or self._epoch != self.database.epoch:
            raise FencedError("another worker has taken the vectors over")
        trouble = self.database.trouble.pop(0) if self.database.trouble else None
        if trouble is None or trouble[0]:
            self._commit(written)
        if trouble is not None:
            raise CrashError if trouble[1] else UnavailableError("the vectors", "no answer")

    def _commit(self, written: Written) -> None:
        database = self.database
        if any(database.next(p) >= now.next for p, now in written.progress.items()):
            return
        for rows in written.rows:
            for identity, values in zip(rows.ids, rows.values, strict=True):
                database.rows[identity] = values.tobytes()
        database.counted.add(Unwritten(dict(written.progress), dict(written.tallies)))
