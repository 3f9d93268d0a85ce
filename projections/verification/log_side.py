"""The log as one side of every comparison: its events, and features recomputed from them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from domain.features import Entity, FeatureSet
from domain.features.engine import blank, grouped, run_groups
from domain.features.kernel.arrays import Floats, Ints
from domain.features.kernel.row_layout import (
    IS_REQUEST,
    IS_TRANSACTION,
    KIND,
    OFFSET,
    PARTITION,
    Rows,
)
from domain.features.served import served_at, served_beside, states_at
from eventlog.events_table import EventTable

_SHIFT = 48  # offsets are below 2^48


@dataclass
class LogSide:
    """The events of the log up to `ends`, with their features recomputed on demand.

    `ends` are the last offsets read, per partition, -1 for none.
    """

    events: EventTable
    features: FeatureSet
    ends: Sequence[int]
    numbers: dict[Entity, dict[str, int]] = field(init=False)

    def __post_init__(self) -> None:
        self.numbers = {
            entity: {key: number for number, key in enumerate(self.events.keys[entity])}
            for entity in self.features.entities
        }
        rows = self.events.rows
        places = (rows[:, PARTITION] << _SHIFT) | rows[:, OFFSET]
        self._sorted = np.argsort(places, kind="stable")
        self._places = places[self._sorted]
        self._grouped: dict[Entity, tuple[Ints, Ints]] = {}

    @property
    def partitions(self) -> int:
        return len(self.ends)

    @property
    def transactions(self) -> Ints:
        """Row numbers of all transactions."""
        return np.flatnonzero(self.events.rows[:, KIND] == IS_TRANSACTION)

    def at(self, partitions: Ints, offsets: Ints) -> Ints:
        """The row number of each position, -1 where the log has no event that counts."""
        places = (partitions << _SHIFT) | offsets
        if not len(self._places):
            return np.full(len(places), -1, dtype=np.int64)
        found = np.minimum(np.searchsorted(self._places, places), len(self._places) - 1)
        return np.where(self._places[found] == places, self._sorted[found], -1)

    def position(self, row: int) -> str:
        placed = self.events.rows[row]
        return f"{placed[PARTITION]}/{placed[OFFSET]}"

    def request_values(self, rows: Ints) -> Floats:
        """Vectors whose features of the request alone are filled in."""
        out = blank(self.features, len(rows))
        asking = self.events.rows[rows].copy()
        asking[:, KIND] = IS_REQUEST
        every = np.arange(len(rows), dtype=np.int64)
        spans = np.array([0, len(rows)], dtype=np.int64)
        run_groups(self.features.request, [b""], asking, every, spans, every, out, keep=False)
        return out

    def served(self, entity: Entity, rows: Ints, versions: Ints, out: Floats) -> None:
        """Fills the features of `entity` for the transactions in `rows`, at these versions."""
        (events, codes), asking = self._asking(entity, rows)
        # Those of entities that nobody asks for would be sorted for nothing.
        asked = np.zeros(len(self.events.keys[entity]) + 1, dtype=bool)
        asked[asking[1]] = True
        asked[-1] = False
        mine = asked[codes]
        served_at(self.features, entity, (events[mine], codes[mine]), asking, versions, out)

    def served_beside(
        self, entity: Entity, rows: Ints, versions: Ints, beside: Sequence[Ints], out: Floats
    ) -> None:
        """As `served`, each with the events in the rows `beside[i]` too."""
        served_beside(self.features, entity, *self._asking(entity, rows), versions, beside, out)

    def _asking(self, entity: Entity, rows: Ints) -> tuple[tuple[Rows, Ints], tuple[Rows, Ints]]:
        events, codes = self.events.rows, self.events.codes[entity]
        return (events, codes), (events[rows], codes[rows])

    def states(self, entity: Entity, first: int, versions: Ints) -> list[bytes]:
        """States of the entities numbered from `first` on, one for each row of `versions`."""
        if entity not in self._grouped:
            count = len(self.events.keys[entity])
            self._grouped[entity] = grouped(self.events.codes[entity], count)
        order, spans = self._grouped[entity]
        mine = order[spans[first] : spans[first + len(versions)]]
        events = self.events.rows[mine], self.events.codes[entity][mine] - first
        numbers = np.arange(len(versions), dtype=np.int64)
        return states_at(self.features, entity, events, numbers, versions)
