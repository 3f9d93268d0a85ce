"""Training sets from a replay of the log: vectors and labels as known at a moment, as Parquet.

Nothing known later than that moment is used; and for each row nothing outside its ideal set.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from domain.features import FeatureSet
from domain.features.engine import vectors
from domain.features.kernel.arrays import Floats, Ints
from domain.features.kernel.row_layout import IS_TRANSACTION, KIND, TIME, Rows
from domain.features.payments import UNLABELLED, Payments
from eventlog.events_table import EventTable
from host.files import whole_file
from projections.replay.ideal import known_order
from projections.replay.mapped_ids import MappedIds
from projections.replay.payments import labels_of, payments_of, uses_of

Ids = NDArray[np.object_] | MappedIds
_ROW_GROUP = 100_000
_SAMPLE, _FEW = 5_000, 300


@dataclass(frozen=True, slots=True)
class Dataset:
    """One item per transaction, in the order of (known time, partition, offset).

    `at` is the row of the log's events; times are microseconds UTC; `labels` 1 (fraud), 0
    (genuine) or UNLABELLED; `values` [transactions, features], NaN for unknown.
    """

    features: FeatureSet
    at: Ints
    transaction_ids: Ids
    times: Ints
    known: Ints
    labels: Ints
    values: Floats
    payments: Payments

    def __len__(self) -> int:
        return len(self.at)


def dataset(
    events: EventTable,
    features: FeatureSet,
    *,
    as_known_at: int,
    begin: int | None = None,
    end: int | None = None,
    maturities: Sequence[int] = (),
    threads: int = 2,
) -> Dataset:
    """Transactions with begin <= event time < end, as they and their labels were known then.

    `maturities` are microseconds after a transaction, at each of which its label is asked for too.
    """
    order, rows, known = _as_known(events, as_known_at)
    wanted = rows[:, KIND] == IS_TRANSACTION
    if begin is not None:
        wanted &= rows[:, TIME] >= begin
    if end is not None:
        wanted &= rows[:, TIME] < end
    due = np.full(len(rows), -1, dtype=np.int64)
    due[wanted] = np.arange(int(wanted.sum()))
    codes = {entity: _taken(events.codes[entity], order) for entity in features.entities}
    at = np.flatnonzero(wanted) if order is None else order[wanted]
    ids = events.transaction_ids[at]
    # Where the caller has given them away, a quarter of the memory that follows is theirs.
    del events, order
    with ThreadPoolExecutor(1) as beside:
        labels = beside.submit(labels_of, rows, uses_of(rows[wanted]))
        payments = beside.submit(payments_of, rows, wanted, maturities)
        values = vectors(features, codes, rows, due, threads)
    return Dataset(
        features,
        at,
        ids,
        rows[wanted, TIME],
        known[wanted],
        labels.result(),
        values,
        payments.result(),
    )


def _as_known(events: EventTable, moment: int) -> tuple[Ints | None, Rows, Ints]:
    """(row numbers, rows, known times) by (known time, partition, offset), none known later.

    Where that is what the events are already, their own arrays, and None for the numbers.
    """
    order = known_order(events)
    order = order[events.known[order] <= moment]
    if len(order) == len(events.known) and (order[1:] > order[:-1]).all():
        return None, events.rows, events.known
    return order, events.rows[order], events.known[order]


def _taken(values: Ints, order: Ints | None) -> Ints:
    return values if order is None else values[order]


def schema(features: FeatureSet) -> pa.Schema:
    """`label` and features are null where unknown."""
    return pa.schema(
        [
            pa.field("transaction_id", pa.string(), nullable=False),
            pa.field("event_timestamp", pa.timestamp("us", tz="UTC"), nullable=False),
            pa.field("known_time", pa.timestamp("us", tz="UTC"), nullable=False),
            pa.field("label", pa.int8()),
            *(pa.field(name, pa.float64()) for name in features.names),
        ],
        metadata={"feature_set": features.hash},
    )


def write(made: Dataset, path: Path) -> None:
    """Parquet, whole or not at all. Raises OSError."""
    wanted = schema(made.features)
    few = _with_few_values(made)
    with (
        whole_file(path, durable=False) as draft,
        pq.ParquetWriter(draft, wanted, compression="lz4", use_dictionary=few) as writer,
    ):
        for start in range(0, max(len(made), 1), _ROW_GROUP):
            writer.write_table(_table(made, slice(start, start + _ROW_GROUP), wanted))


def _with_few_values(made: Dataset) -> list[str]:
    """The features worth a dictionary; on all of them it would take three times as long."""
    some = made.values[:_SAMPLE].T
    return [
        name
        for name, column in zip(made.features.names, some, strict=True)
        if len(np.unique(column)) <= _FEW
    ]


def _table(made: Dataset, some: slice, wanted: pa.Schema) -> pa.Table:
    labels = made.labels[some]
    values = made.values[some]
    columns = [
        pa.array(made.transaction_ids[some], pa.string()),
        pa.array(made.times[some], pa.int64()).cast(pa.timestamp("us", tz="UTC")),
        pa.array(made.known[some], pa.int64()).cast(pa.timestamp("us", tz="UTC")),
        pa.array(labels.astype(np.int8), pa.int8(), mask=labels == UNLABELLED),
        *(
            pa.array(np.ascontiguousarray(column), pa.float64(), from_pandas=True)
            for column in values.T
        ),
    ]
    return pa.Table.from_arrays(columns, schema=wanted)
