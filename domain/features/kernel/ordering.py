"""Order of rows in which each request sees exactly the events of its version map, of labels, and
of vectors that are made by parts.

A version map names a set: the events at or below it. Maps of one entity nearly always form a chain,
so one fold serves them all; where two are not comparable a new fold is begun.
"""

import numpy as np

from domain.features.kernel.arrays import Floats, Ints
from domain.features.kernel.compiled import compiled
from domain.features.kernel.row_layout import IS_FRAUD, IS_GENUINE, KIND, OFFSET, TRANSACTION, Rows

_SQUARE = 64


@compiled
def by_version(
    rows: Ints, held: Ints, starts: Ints, asked: Ints, asks: Ints, versions: Ints
) -> tuple[Ints, Ints, Ints]:
    """Lays out (order, spans, code of each group); a request r stands as len(rows) + r.

    `held[starts[c, p]:starts[c, p + 1]]` are the events of code c and partition p by offset;
    `asked[asks[c]:asks[c + 1]]` its requests, by the sum of their version maps; `versions` is
    [requests, partitions], -1 for a partition that is not covered.
    """
    codes, partitions = len(asks) - 1, versions.shape[1]
    order = np.empty(len(held) + len(asked) + 16, dtype=np.int64)
    spans = np.zeros(codes + len(asked) + 1, dtype=np.int64)
    groups = np.empty(codes + len(asked), dtype=np.int64)
    at = np.empty(partitions, dtype=np.int64)
    reached = np.empty(partitions, dtype=np.int64)
    size, count = 0, 0
    for c in range(codes):
        if asks[c] == asks[c + 1]:
            continue
        begun = False
        for i in range(asks[c], asks[c + 1]):
            version = versions[asked[i]]
            if not begun or (version < reached).any():
                if begun:
                    spans[count] = size
                groups[count] = c
                count += 1
                begun = True
                for p in range(partitions):
                    at[p] = starts[c, p]
                    reached[p] = -1
            for p in range(partitions):
                while at[p] < starts[c, p + 1] and rows[held[at[p]], OFFSET] <= version[p]:
                    if size + 1 >= len(order):
                        order = _greater(order)
                    order[size] = held[at[p]]
                    size += 1
                    at[p] += 1
                reached[p] = version[p]
            if size + 1 >= len(order):
                order = _greater(order)
            order[size] = len(rows) + asked[i]
            size += 1
        spans[count] = size
    return order[:size].copy(), spans[: count + 1].copy(), groups[:count].copy()


@compiled
def _greater(order: Ints) -> Ints:
    greater = np.empty(2 * len(order), dtype=np.int64)
    greater[: len(order)] = order
    return greater


@compiled
def versions_before(rows: Ints, codes: Ints, partitions: int) -> Ints:
    """Per row the version map of its entity's state before it is folded; rows in folding order.

    [rows, partitions]; -1 where nothing of a partition was folded.
    """
    count = 0
    for i in range(len(codes)):
        count = max(count, codes[i] + 1)
    reached = np.full((count, partitions), -1, dtype=np.int64)
    made = np.empty((len(rows), partitions), dtype=np.int64)
    for i in range(len(rows)):
        made[i] = reached[codes[i]]
        partition, offset = rows[i, 0], rows[i, OFFSET]
        reached[codes[i], partition] = max(reached[codes[i], partition], offset)
    return made


@compiled
def put_rows(values: Floats, rows: Ints, columns: Ints, part: Floats) -> None:
    """values[rows[i], columns[c]] = part[i, c], without the lock of the interpreter."""
    for i in range(len(rows)):
        for c in range(len(columns)):
            values[rows[i], columns[c]] = part[i, c]


@compiled
def by_column(values: Floats, turned: Floats) -> None:
    """turned[c, i] = values[i, c], in squares that stay in the processor's cache."""
    for first in range(0, values.shape[0], _SQUARE):
        last = min(first + _SQUARE, values.shape[0])
        for left in range(0, values.shape[1], _SQUARE):
            for c in range(left, min(left + _SQUARE, values.shape[1])):
                for i in range(first, last):
                    turned[c, i] = values[i, c]


def overruled(rows: Rows) -> Ints:
    """The rows that are labels, and come after another of their transaction with a greater offset.

    All labels of a transaction are of one partition.
    """
    labels = np.flatnonzero((rows[:, KIND] == IS_GENUINE) | (rows[:, KIND] == IS_FRAUD))
    labels = labels[np.argsort(rows[labels, TRANSACTION], kind="stable")]
    rank = np.empty(len(labels), dtype=np.int64)
    rank[np.lexsort((rows[labels, OFFSET], rows[labels, TRANSACTION]))] = np.arange(len(labels))
    # Ranks rise from transaction to transaction, so that one running maximum serves all.
    return labels[np.maximum.accumulate(rank) > rank]
