"""Payments: holder, amount, decline and matured labels of each transaction, for metrics."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from domain.features.declarations.feature import Filter
from domain.features.declarations.filters import FILTER_BITS
from domain.features.kernel.arrays import Ints
from domain.features.kernel.row_layout import (
    AMOUNT,
    CARD,
    CUSTOMER,
    FILTERS,
    IS_FRAUD,
    IS_GENUINE,
    IS_TRANSACTION,
    KIND,
    OFFSET,
    PRESENT,
    TIME,
    TRANSACTION,
    TRANSACTION_TIME,
    Rows,
)
from domain.features.payments import UNLABELLED, Payments

_EVER = (1 << 63) - 1
_ODD = np.int64(0x9E3779B97F4A7C15 - (1 << 64))


def payments_of(rows: Rows, wanted: NDArray[np.bool_], delays: Sequence[int]) -> Payments:
    """Of the `wanted` transactions among `rows`; their labels are those among `rows`."""
    present = rows[wanted, PRESENT]
    has_card, has_customer = ((present >> column) & 1 for column in (CARD, CUSTOMER))
    named = np.where(has_customer, rows[wanted, CUSTOMER], 0)
    return Payments(
        np.where(has_card, rows[wanted, CARD], named),
        rows[wanted, AMOUNT],
        rows[wanted, FILTERS] & FILTER_BITS[Filter.DECLINED] > 0,
        _matured(rows, uses_of(rows[wanted]), delays),
    )


def uses_of(rows: Rows) -> Ints:
    """What transactions of `rows` and their labels have in common, two uses of one id have not:
    a number of the id's digest and the time of the transaction."""
    at = np.where(rows[:, KIND] == IS_TRANSACTION, rows[:, TIME], rows[:, TRANSACTION_TIME])
    return mixed(at, rows[:, TRANSACTION])


def mixed(first: Ints, second: Ints) -> Ints:
    """One number of each two. An odd factor keeps different ones different; what goes beyond 64
    bits is left out."""
    return first * _ODD ^ second


def labels_of(rows: Rows, uses: Ints) -> Ints:
    """Of each use of an id (`uses_of`) the label among `rows` that is the last in the log."""
    return _last_labels(rows, uses, [_EVER])[:, 0]


def _matured(rows: Rows, uses: Ints, delays: Sequence[int]) -> NDArray[np.int8]:
    return _last_labels(rows, uses, delays).astype(np.int8)


def _last_labels(rows: Rows, uses: Ints, delays: Sequence[int]) -> Ints:
    """[uses, delays]: of the labels that were known so long after their transaction."""
    labels = np.full((len(uses), len(delays)), UNLABELLED, dtype=np.int64)
    given = rows[_are_labels(rows)]
    if not len(given):
        return labels
    named = uses_of(given)
    # All labels of a transaction are of one partition.
    order = np.lexsort((given[:, OFFSET], named))
    named, given = named[order], given[order]
    fraud = given[:, KIND] == IS_FRAUD
    # The time of a label is its known time.
    waited = given[:, TIME] - given[:, TRANSACTION_TIME]
    group = np.cumsum(np.append(False, named[1:] != named[:-1]))
    there = named[np.append(True, named[1:] != named[:-1])]
    place = np.minimum(np.searchsorted(there, uses), len(there) - 1)
    found = there[place] == uses
    for number, delay in enumerate(delays):
        known = np.flatnonzero(waited <= delay)
        last = np.full(len(there), UNLABELLED, dtype=np.int64)
        # Of a place that is named more than once the last one stays.
        last[group[known]] = fraud[known]
        labels[found, number] = last[place[found]]
    return labels


def _are_labels(rows: Rows) -> NDArray[np.bool_]:
    return np.isin(rows[:, KIND], (IS_FRAUD, IS_GENUINE))
