"""Owns how ideal feature vectors reach Feast's offline table; what is in them is the caller's.

One transaction holds the rows and the positions of all partitions that they come from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Engine

from domain.times import to_datetime
from eventlog.topics import TRANSACTIONS
from projections.adapters.postgres import driver_cursor
from projections.readmodels import positions
from projections.readmodels.connecting import transaction
from projections.readmodels.fold import Counts
from projections.readmodels.writing import copy


@dataclass(frozen=True, slots=True)
class Vector:
    """`values` in the order of the catalogue; None is an unknown value. Times in microseconds."""

    transaction_id: str
    event_time: int
    known_time: int
    values: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Advance:
    """How far a partition has come, and what that adds to its counts."""

    next_offset: int
    counts: Counts


class PostgresFeatureVectors:
    """`names` are the catalogue's features in order, `feature_set` its hash."""

    def __init__(
        self, engine: Engine, feature_set: str, names: Sequence[str], projection: str = "offline"
    ) -> None:
        self._engine = engine
        self._feature_set = feature_set
        fixed = ("transaction_id", "event_timestamp", "created", "feature_set")
        self._columns = (*fixed, *names)
        self._epochs: dict[int, int] = {}
        self.name = projection
        self.topic = TRANSACTIONS.name

    def assign(self, partition: int) -> int:
        """Fences the former owner; returns the offset of the next record. See BatchProjection."""
        with transaction(self._engine) as connection:
            cursor = driver_cursor(connection)
            epoch, start = positions.take_over(cursor, self.name, self.topic, partition)
        self._epochs[partition] = epoch
        return start

    def store(self, vectors: Iterable[Vector], advances: Mapping[int, Advance]) -> None:
        """Replaces the vectors of these ids and moves the partitions on, all or nothing.

        Raises FencedError, UnavailableError (hand the same in again). A position never goes back:
        an advance at or below the committed one is left out.
        """
        rows = {v.transaction_id: self._row(v) for v in vectors}
        with transaction(self._engine) as connection:
            cursor = driver_cursor(connection)
            for partition in sorted(advances):
                epoch = self._epochs.get(partition, 0)
                start = positions.lock(cursor, self.name, self.topic, partition, epoch)
                ahead = advances[partition]
                if ahead.next_offset > start:
                    positions.advance(
                        cursor, self.name, self.topic, partition, ahead.next_offset, ahead.counts
                    )
            cursor.execute(
                "DELETE FROM feature_vectors WHERE transaction_id = ANY(%b)", (list(rows),)
            )
            copy(cursor, "feature_vectors", self._columns, rows.values())

    def revoke(self, partition: int) -> None:
        self._epochs.pop(partition, None)

    def _row(self, vector: Vector) -> tuple[object, ...]:
        times = to_datetime(vector.event_time), to_datetime(vector.known_time)
        return (vector.transaction_id, *times, self._feature_set, *vector.values)
