"""One simulated day: its transactions and their labels."""

from collections.abc import Iterator
from dataclasses import dataclass

from simulator.batch import Batch, transaction_id
from simulator.columns import Columns
from simulator.labels import LABEL_KINDS, LABEL_VALUES, LabelColumns
from simulator.names import Names
from simulator.records import SimulatedLabel, SimulatedTransaction

_BATCH_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class Day:
    """Transactions ordered by timestamp; their ids count up in that order from zero."""

    index: int
    start_us: int
    id_prefix: str
    columns: Columns
    label_columns: LabelColumns
    names: Names

    def __len__(self) -> int:
        return len(self.columns)

    def batches(self, rows: int = _BATCH_ROWS) -> Iterator[Batch]:
        """The day cut into batches of that many rows, the last one shorter."""
        for first in range(0, len(self), rows):
            part = self.columns.take(slice(first, first + rows))
            yield Batch(self._id_stem, first, part, self.names)

    def transactions(self) -> Iterator[SimulatedTransaction]:
        for batch in self.batches():
            yield from batch.transactions()

    def whole(self) -> Batch:
        """The day as one batch."""
        return Batch(self._id_stem, 0, self.columns, self.names)

    def labels(self) -> list[SimulatedLabel]:
        """All labels of this day's transactions, ordered by the time they are known."""
        said = self.label_columns
        return [
            self._label(row, known_at, kind)
            for row, known_at, kind in zip(
                said.row.tolist(), said.known_at.tolist(), said.kind.tolist(), strict=True
            )
        ]

    @property
    def _id_stem(self) -> str:
        return f"{self.id_prefix}{self.index:05d}"

    def _label(self, row: int, known_at: int, kind: int) -> SimulatedLabel:
        labelled, name = transaction_id(self._id_stem, row), LABEL_KINDS[kind]
        # Each kind is said at most once of a transaction, so this is the reporter's unique one.
        return SimulatedLabel(labelled, known_at, name, LABEL_VALUES[kind], f"{name}-{labelled}")
