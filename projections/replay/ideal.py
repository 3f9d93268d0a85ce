"""Ideal vectors of a stretch of the log, all at once.

The ideal set of a transaction holds what is smaller in (known time, topic rank, partition, offset).
One topic is replayed, so its rank plays no part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from domain.features import Entity, FeatureSet
from domain.features.engine import vectors
from domain.features.kernel.arrays import Floats, Ints
from domain.features.rows import IS_TRANSACTION, KIND, OFFSET, PARTITION, Rows


class LogEvents(Protocol):
    """What counts in a stretch of the log, as numbers; all arrays have one item per event."""

    @property
    def rows(self) -> Rows: ...

    @property
    def known(self) -> Ints:
        """Known times in microseconds."""
        ...

    @property
    def codes(self) -> Mapping[Entity, Ints]:
        """The number of the entity that an event concerns, -1 for none."""
        ...

    @property
    def keys(self) -> Mapping[Entity, Sequence[str]]:
        """The key of each number."""
        ...

    @property
    def transaction_ids(self) -> NDArray[np.object_]: ...


@dataclass(frozen=True, slots=True)
class Ideal:
    """`values[i]` is the vector of the transaction in row `at[i]` of the events, by known order."""

    at: Ints
    values: Floats


def ideal_vectors(events: LogEvents, features: FeatureSet, threads: int = 2) -> Ideal:
    """The vector of every transaction decided or imported; ~150 thousand/s and core."""
    order = known_order(events)
    rows = events.rows[order]
    decided = rows[:, KIND] == IS_TRANSACTION
    due = np.full(len(rows), -1, dtype=np.int64)
    due[decided] = np.arange(int(decided.sum()))
    codes = {entity: events.codes[entity][order] for entity in features.entities}
    values = vectors(features, codes, rows, due, threads)
    return Ideal(order[decided], values)


def known_order(events: LogEvents) -> Ints:
    """Row numbers by (known time, partition, offset)."""
    rows = events.rows
    return np.lexsort((rows[:, OFFSET], rows[:, PARTITION], events.known))
