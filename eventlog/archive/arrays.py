"""Archived columns as rows for the kernel; each value is hashed once."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from domain.features import Entity, FeatureEvent
from domain.features.declarations.feature import Field
from domain.features.declarations.filters import ATTRIBUTE, ID_COLUMNS
from domain.features.entities import FIELDS, PAYER_FIELDS
from domain.features.events import code
from domain.features.kernel.arrays import Ints
from domain.features.kernel.row_layout import (
    AMOUNT,
    BIAS,
    FILTERS,
    HAS_PLACE,
    IS_FRAUD,
    IS_GENUINE,
    IS_STEP_UP,
    IS_TRANSACTION,
    KIND,
    OFFSET,
    ORDER,
    PARTITION,
    PRESENT,
    TIME,
    TRANSACTION,
    TRANSACTION_TIME,
    WIDTH,
    Rows,
    X,
    Y,
    Z,
)
from domain.features.rows import row_of
from eventlog.events_table import EventTable, PairKeys

_BLANK = FeatureEvent("transaction", 0, 0, 0, "", 0, 0)
_NUMBERS = (
    (PARTITION, "partition"),
    (OFFSET, "offset"),
    (TIME, "time"),
    (ORDER, "order"),
    (AMOUNT, "base_amount"),
    (TRANSACTION, "transaction_digest"),
    (X, "x"),
    (Y, "y"),
    (Z, "z"),
)
# Rows filled at once, column by column: few enough to stay in the processor's cache.
_BLOCK = 1 << 14

_Numbered = tuple[Ints, list[str]]
"""(number of each value, -1 for none; the values)."""


def event_table(table: pa.Table, by_known_time: bool = False) -> EventTable:
    """Of rows that fold into something: `partition`, `offset` and eventlog.archive.layout.FOLDED.

    They come by partition and offset and stay so, or are sorted by known time.
    """
    table = table.unify_dictionaries()
    known = _integers(table["known_time"])
    # Stable, so that equal times stay by partition and offset.
    order = np.argsort(known, kind="stable") if by_known_time else None
    if order is not None:
        known = known[order]
    numbered = _ids(table, order)
    codes: dict[Entity, Ints] = {}
    keys: dict[Entity, Sequence[str]] = {}
    for entity, fields in FIELDS.items():
        codes[entity], keys[entity] = _entity([numbered[name] for name in fields])
    rows = _rows(table, numbered, order)
    return EventTable(rows, known, codes, keys, _texts(table["transaction_id"], order))


def rows_of(table: pa.Table) -> tuple[Rows, Ints]:
    """(rows, known times) alone of what `event_table` gives; `table` has unified dictionaries."""
    return _rows(table, _ids(table, None), None), _integers(table["known_time"])


def _ids(table: pa.Table, order: Ints | None) -> dict[str, _Numbered]:
    payer = ATTRIBUTE[Field.PAYER]
    given = (name for name in ATTRIBUTE.values() if name != payer)
    numbered = {name: _numbered(table[name], order) for name in given}
    numbered[payer] = _first_known([numbered[name] for name in PAYER_FIELDS])
    return numbered


def _rows(table: pa.Table, numbered: dict[str, _Numbered], order: Ints | None) -> Rows:
    columns = {column: _integers(table[name], order) for column, name in _NUMBERS}
    labels = _integers(table["label"], order, -1)
    labelled = np.where(labels > 0, IS_FRAUD, IS_GENUINE)
    columns[KIND] = np.where(labels < 0, _unlabelled(table["kind"], order), labelled)
    about = _integers(table["transaction_time"], order)
    columns[TRANSACTION_TIME] = np.where(labels < 0, columns[TRANSACTION_TIME], about)
    columns[PRESENT] = present = np.where(_placed(pc.is_valid(table["x"]), order), HAS_PLACE, 0)
    for field, column in ID_COLUMNS.items():
        numbers, values = numbered[ATTRIBUTE[field]]
        digests = np.array([*(code(value) - BIAS for value in values), 0], dtype=np.int64)
        columns[column] = digests[numbers]
        present |= np.where(numbers >= 0, 1 << column, 0)
    flags, columns[FILTERS] = _flags(table, order)
    present |= flags
    columns[FILTERS][labels >= 0] = 0
    return _filled(columns)


def _filled(columns: dict[int, Ints]) -> Rows:
    rows = np.empty((len(columns[KIND]), WIDTH), dtype=np.int64)
    for start in range(0, len(rows), _BLOCK):
        some = slice(start, start + _BLOCK)
        for column in range(WIDTH):
            rows[some, column] = columns[column][some]
    return rows


def _unlabelled(column: pa.ChunkedArray, order: Ints | None) -> Ints:
    numbers, kinds = _numbered(column, order)
    named = [IS_STEP_UP if kind == "step_up" else IS_TRANSACTION for kind in kinds]
    return np.array([*named, IS_TRANSACTION], dtype=np.int64)[numbers]


def _flags(table: pa.Table, order: Ints | None) -> tuple[Ints, Ints]:
    """What channel and outcome say: (bits of PRESENT, FILTERS), asked once for each pair."""
    channels, names = _numbered(table["channel"], order)
    outcomes, said = _numbered(table["outcome"], order)
    width = len(said) + 1
    pairs = (channels + 1) * width + outcomes + 1
    count = (len(names) + 1) * width
    filters, present = np.zeros(count, np.int64), np.zeros(count, np.int64)
    for pair in np.flatnonzero(np.bincount(pairs, minlength=count)).tolist():
        channel, outcome = [None, *names][pair // width], [None, *said][pair % width]
        event = _BLANK._replace(channel=channel, outcome=outcome)  # type: ignore[arg-type]
        row = row_of(0, 0, event)
        filters[pair], present[pair] = row[FILTERS], row[PRESENT]
    return present[pairs], filters[pairs]


def _integers(column: pa.ChunkedArray, order: Ints | None = None, none: int = 0) -> Ints:
    filled = pc.fill_null(column.cast(pa.int64()), none)
    return np.asarray(_placed(filled, order), dtype=np.int64)


def _texts(column: pa.ChunkedArray, order: Ints | None) -> NDArray[np.object_]:
    return np.asarray(_placed(column, order), dtype=object)


def _placed(column: pa.ChunkedArray, order: Ints | None) -> NDArray[np.generic]:
    values: NDArray[np.generic] = column.to_numpy(zero_copy_only=False)
    return values if order is None else values[order]


def _numbered(column: pa.ChunkedArray, order: Ints | None) -> _Numbered:
    """Only the values that occur."""
    whole = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    if not pa.types.is_dictionary(whole.type):
        whole = whole.dictionary_encode()
    held = pc.fill_null(whole.indices.cast(pa.int64()), -1).to_numpy(zero_copy_only=False)
    values = whole.dictionary.to_pylist()
    return _occurring(held if order is None else held[order], values)


def _occurring(held: Ints, values: list[str]) -> _Numbered:
    """`held` numbered anew, so that only the values that occur have a number."""
    used = np.flatnonzero(np.bincount(held + 1, minlength=len(values) + 1)[1:])
    numbers = np.full(len(values) + 1, -1, dtype=np.int64)
    numbers[used] = np.arange(len(used))
    # The last item maps -1 (none) to itself.
    return numbers[held], [values[i] for i in used.tolist()]


def _first_known(columns: list[_Numbered]) -> _Numbered:
    """Of each row the value of the first column that has one; equal values have one number."""
    held, values = columns[0]
    places = {value: number for number, value in enumerate(values)}
    for numbers, names in columns[1:]:
        again = [places.setdefault(name, len(places)) for name in names]
        held = np.where(held >= 0, held, np.array([*again, -1], dtype=np.int64)[numbers])
    return _occurring(held, list(places))


def _entity(parts: list[_Numbered]) -> tuple[Ints, Sequence[str]]:
    if len(parts) == 1:
        return parts[0]
    (first, firsts), (second, seconds) = parts
    width = max(len(seconds), 1)
    both = (first >= 0) & (second >= 0)
    pairs = pa.array(first * width + second, mask=~both).dictionary_encode()
    numbers = pc.fill_null(pairs.indices.cast(pa.int64()), -1).to_numpy(zero_copy_only=False)
    return numbers, PairKeys(firsts, seconds, pairs.dictionary.to_numpy(zero_copy_only=False))
