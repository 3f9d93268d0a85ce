"""Owns the step from archived columns to rows for the kernel; hashes each value once."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from domain.features import Entity, FeatureEvent
from domain.features.entities import FIELDS, pair_key
from domain.features.events import code
from domain.features.filters import ATTRIBUTE
from domain.features.kernel.arrays import Ints
from domain.features.rows import (
    AMOUNT,
    BIAS,
    FILTERS,
    HAS_PLACE,
    ID_COLUMNS,
    IS_FRAUD,
    IS_GENUINE,
    IS_TRANSACTION,
    KIND,
    OFFSET,
    ORDER,
    PARTITION,
    PRESENT,
    TIME,
    TRANSACTION,
    WIDTH,
    Rows,
    X,
    Y,
    Z,
    row_of,
)
from eventlog.events_table import EventTable

_BLANK = FeatureEvent("transaction", 0, 0, 0, "", 0, 0)
_NUMBERS = (
    (OFFSET, "offset"),
    (TIME, "time"),
    (ORDER, "order"),
    (AMOUNT, "base_amount"),
    (TRANSACTION, "transaction_digest"),
    (X, "x"),
    (Y, "y"),
    (Z, "z"),
)


def event_table(partition: int, table: pa.Table) -> EventTable:
    """Rows that fold into something, of one partition, as eventlog.archive.layout.FOLDED."""
    rows = np.zeros((len(table), WIDTH), dtype=np.int64)
    rows[:, PARTITION] = partition
    for column, name in _NUMBERS:
        rows[:, column] = _integers(table[name])
    labels = _integers(table["label"], -1)
    rows[:, KIND] = np.where(labels < 0, IS_TRANSACTION, np.where(labels > 0, IS_FRAUD, IS_GENUINE))
    numbered: dict[str, tuple[Ints, list[str]]] = {}
    for field, column in ID_COLUMNS.items():
        name = ATTRIBUTE[field]
        numbers, values = numbered[name] = _numbered(table[name])
        digests = np.array([*(code(value) - BIAS for value in values), 0], dtype=np.int64)
        rows[:, column] = digests[numbers]
        rows[:, PRESENT] |= np.where(numbers >= 0, 1 << column, 0)
    _flags(rows, table)
    codes: dict[Entity, Ints] = {}
    keys: dict[Entity, list[str]] = {}
    for entity, fields in FIELDS.items():
        codes[entity], keys[entity] = _entity([numbered[name] for name in fields])
    return EventTable(
        rows,
        _integers(table["known_time"]),
        codes,
        keys,
        _texts(table["transaction_id"]),
    )


def _flags(rows: Rows, table: pa.Table) -> None:
    """What channel and outcome say, asked of the filters once for each pair of them."""
    rows[:, PRESENT] |= np.where(pc.is_valid(table["x"]).to_numpy(), HAS_PLACE, 0)
    channels, names = _numbered(table["channel"])
    outcomes, said = _numbered(table["outcome"])
    width = len(said) + 1
    used, pairs = np.unique((channels + 1) * width + outcomes + 1, return_inverse=True)
    filters, present = np.zeros(len(used), np.int64), np.zeros(len(used), np.int64)
    for place, pair in enumerate(used.tolist()):
        channel, outcome = [None, *names][pair // width], [None, *said][pair % width]
        event = _BLANK._replace(channel=channel, outcome=outcome)
        row = row_of(0, 0, event)
        filters[place], present[place] = row[FILTERS], row[PRESENT]
    rows[:, PRESENT] |= present[pairs]
    rows[:, FILTERS] = np.where(rows[:, KIND] == IS_TRANSACTION, filters[pairs], 0)


def _integers(column: pa.ChunkedArray, none: int = 0) -> Ints:
    filled = pc.fill_null(column.cast(pa.int64()), none)
    return np.asarray(filled.to_numpy(), dtype=np.int64)


def _texts(column: pa.ChunkedArray) -> NDArray[np.object_]:
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=object)


def _numbered(column: pa.ChunkedArray) -> tuple[Ints, list[str]]:
    """(number of each value, -1 for null; the values), only those that occur."""
    whole = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    if not pa.types.is_dictionary(whole.type):
        whole = whole.dictionary_encode()
    held = pc.fill_null(whole.indices.cast(pa.int64()), -1).to_numpy(zero_copy_only=False)
    values = whole.dictionary.to_pylist()
    used, numbers = np.unique(held, return_inverse=True)
    if len(used) and used[0] == -1:
        used, numbers = used[1:], numbers - 1
    return np.asarray(numbers, dtype=np.int64), [values[i] for i in used.tolist()]


def _entity(parts: list[tuple[Ints, list[str]]]) -> tuple[Ints, list[str]]:
    if len(parts) == 1:
        return parts[0]
    (first, firsts), (second, seconds) = parts
    both = (first >= 0) & (second >= 0)
    joined = np.where(both, first * max(len(seconds), 1) + second, -1)
    used, numbers = np.unique(joined, return_inverse=True)
    if len(used) and used[0] == -1:
        used, numbers = used[1:], numbers - 1
    width = max(len(seconds), 1)
    keys = [pair_key(firsts[u // width], seconds[u % width]) for u in used.tolist()]
    return np.asarray(numbers, dtype=np.int64), keys
