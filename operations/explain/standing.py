"""Which events count: those that a decision was served, those before it, those known by a time.

| set | |
|---|---|
| served | at or below the versions that the decision recorded, and those beside them |
| before | smaller in (known time, partition, offset): what a perfect reader would have seen |
| known by T | known by then, and served or happened before the payment |

What was known only later counts as if known at once: a payment at its own time, a label from its
payment on, as in `retrace replay impact`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.features import Entity, Held
from domain.features.events import digest
from domain.features.kernel.arrays import Ints
from domain.features.kernel.row_layout import (
    BIAS,
    IS_FRAUD,
    IS_GENUINE,
    IS_TRANSACTION,
    KIND,
    OFFSET,
    PARTITION,
    TIME,
    TRANSACTION,
    TRANSACTION_TIME,
    Rows,
)
from eventlog.events_table import EventTable

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Moment:
    """Of the payment: its own time, when it became known (or was decided), and its place."""

    time: int
    known: int
    partition: int
    offset: int


def of_entity(events: EventTable, entity: Entity, key: str, transaction_id: str) -> Ints:
    """Numbers of the rows about one entity, by partition and offset, without the payment itself."""
    number = next((n for n, each in enumerate(events.keys[entity]) if each == key), None)
    if number is None:
        return np.zeros(0, dtype=np.int64)
    rows = events.rows
    own = (rows[:, KIND] == IS_TRANSACTION) & (
        rows[:, TRANSACTION] == digest(transaction_id) - BIAS
    )
    found = np.flatnonzero((events.codes[entity] == number) & ~own)
    order: Ints = found[np.lexsort((rows[found, OFFSET], rows[found, PARTITION]))]
    return order


def served(rows: Rows, held: Held) -> Bools:
    upto = np.full(int(rows[:, PARTITION].max(initial=0)) + 1, -1, dtype=np.int64)
    for partition, offset in held.upto.items():
        if partition < len(upto):
            upto[partition] = offset
    mask: Bools = rows[:, OFFSET] <= upto[rows[:, PARTITION]]
    for partition, offset in held.beside:
        mask |= (rows[:, PARTITION] == partition) & (rows[:, OFFSET] == offset)
    return mask


def before(rows: Rows, known: Ints, moment: Moment) -> Bools:
    mask: Bools = known < moment.known
    same, partition, offset = known == moment.known, rows[:, PARTITION], rows[:, OFFSET]
    mask |= same & (partition < moment.partition)
    mask |= same & (partition == moment.partition) & (offset < moment.offset)
    return mask


def known_by(
    rows: Rows, known: Ints, counted: Bools, moment: Moment, at: int
) -> tuple[Bools, Rows]:
    """(which rows count, the rows with the times from which they do); `counted` were there then."""
    labels = (rows[:, KIND] == IS_FRAUD) | (rows[:, KIND] == IS_GENUINE)
    happened = np.where(labels, rows[:, TRANSACTION_TIME], rows[:, TIME])
    mask: Bools = (known <= at) & (counted | (happened < moment.time))
    moved = rows.copy()
    late = labels & ~counted & (rows[:, TIME] >= moment.time)
    moved[late, TIME] = rows[late, TRANSACTION_TIME]
    return mask, moved
