"""Rows that the kernel folds: one row of int64 for each event."""

import struct
from collections.abc import Iterable

import numpy as np

from domain.errors import IntegrityError
from domain.features.declarations.filters import (
    ATTRIBUTE,
    FILTER_BITS,
    ID_COLUMNS,
    KEEPS,
    REMOTE_CHANNELS,
)
from domain.features.events import FeatureEvent, code, digest, payment_event
from domain.features.kernel.row_layout import (
    AMOUNT,
    BIAS,
    FILTERS,
    HAS_CHANNEL,
    HAS_PLACE,
    IS_FRAUD,
    IS_GENUINE,
    IS_REMOTE,
    IS_REQUEST,
    IS_STEP_UP,
    KIND,
    MAX_AMOUNT,
    OFFSET,
    ORDER,
    PARTITION,
    PARTITIONS,
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
from domain.transactions import Transaction

_PACKED = struct.Struct(f"<{WIDTH}q")
_IDS = tuple((ATTRIBUTE[field], column) for field, column in ID_COLUMNS.items())


def row_of(partition: int, offset: int, event: FeatureEvent) -> tuple[int, ...]:
    """Raises ValueError or TypeError for an event that no state can hold."""
    if not 0 <= partition < PARTITIONS:
        raise ValueError(f"partition: {partition} is not from 0 to {PARTITIONS - 1}")
    row = _row(partition, offset, event)
    row[ORDER] = event.order - BIAS
    row[TRANSACTION] = digest(event.transaction_id) - BIAS
    if event.label is not None:
        row[KIND] = IS_FRAUD if event.label else IS_GENUINE
        row[TRANSACTION_TIME] = event.transaction_time
        return tuple(row)
    if event.kind == "step_up":
        row[KIND] = IS_STEP_UP
    for bit, keeps in _FILTERS:
        if keeps(event):
            row[FILTERS] |= bit
    return tuple(row)


def row_bytes(row: tuple[int, ...]) -> bytes:
    return _PACKED.pack(*row)


def row_of_bytes(data: bytes) -> tuple[int, ...]:
    """The reverse of `row_bytes`. Raises IntegrityError for rows of another layout."""
    if len(data) != _PACKED.size:
        raise IntegrityError(f"a row of {len(data)} bytes: another version of Retrace wrote it")
    row = _PACKED.unpack(data)
    if not 0 <= row[PARTITION] < PARTITIONS:
        raise IntegrityError(f"a row of partition {row[PARTITION]}")
    return row


def rows_of_bytes(data: bytes, partition: int) -> Rows:
    """[n, WIDTH] of rows of one partition, each as `row_bytes` makes it.

    Raises IntegrityError for rows of another layout, or of another partition.
    """
    if len(data) % _PACKED.size:
        raise IntegrityError(f"rows of {len(data)} bytes: another version of Retrace wrote them")
    rows = np.frombuffer(data, dtype="<i8").reshape(-1, WIDTH).astype(np.int64, copy=False)
    if not 0 <= partition < PARTITIONS or (rows[:, PARTITION] != partition).any():
        raise IntegrityError(f"rows that are not all of partition {partition}")
    return rows


def request_row(transaction: Transaction, place: tuple[int, int, int] | None) -> tuple[int, ...]:
    """The row that is finished for, and not folded."""
    row = _row(0, 0, payment_event(transaction, 0, 0, place))
    row[KIND] = IS_REQUEST
    return tuple(row)


def rows_of(events: Iterable[tuple[int, int, FeatureEvent]]) -> Rows:
    """(partition, offset, event) each, in the order given."""
    rows = [row_of(*each) for each in events]
    return np.array(rows, dtype=np.int64).reshape(len(rows), WIDTH)


def _row(partition: int, offset: int, event: FeatureEvent) -> list[int]:
    if not 0 <= event.base_amount <= MAX_AMOUNT:
        raise ValueError(f"base_amount: {event.base_amount} is not from 0 to {MAX_AMOUNT}")
    row = [0] * WIDTH
    row[PARTITION], row[OFFSET] = partition, offset
    row[TIME], row[AMOUNT] = event.time, event.base_amount
    present = 0
    for attribute, column in _IDS:
        value = getattr(event, attribute)
        if value is not None:
            row[column] = code(value) - BIAS
            present |= 1 << column
    if event.x is not None and event.y is not None and event.z is not None:
        row[X], row[Y], row[Z] = event.x, event.y, event.z
        present |= HAS_PLACE
    if event.channel is not None:
        present |= HAS_CHANNEL | (IS_REMOTE if event.channel in REMOTE_CHANNELS else 0)
    row[PRESENT] = present
    return row


_FILTERS = tuple((FILTER_BITS[each], keeps) for each, keeps in KEEPS.items())
