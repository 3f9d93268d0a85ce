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
    # An odd factor keeps different times different; what goes beyond 64 bits is left out.
    return rows[:, TRANSACTION] ^ (at * _ODD)


def labels_of(rows: Rows, uses: Ints) -> Ints:
    """Of each use of an id (`uses_of`) the label among `rows` that is the last in the log."""
    given = rows[_are_labels(rows)]
    named = uses_of(given)
    # All labels of a transaction are of one partition.
    order = np.lexsort((given[:, OFFSET], named))
    named = named[order]
    place = np.searchsorted(named, uses, side="right") - 1
    found = (place >= 0) & (len(named) > 0)
    if len(named):
        found &= named[np.maximum(place, 0)] == uses
    labels = np.full(len(uses), UNLABELLED, dtype=np.int64)
    labels[found] = given[order[place[found]], KIND] == IS_FRAUD
    return labels


def _matured(rows: Rows, uses: Ints, delays: Sequence[int]) -> NDArray[np.int8]:
    labels = rows[_are_labels(rows)]
    # The time of a label is its known time.
    waited = labels[:, TIME] - labels[:, TRANSACTION_TIME]
    matured = np.empty((len(uses), len(delays)), dtype=np.int8)
    for number, delay in enumerate(delays):
        matured[:, number] = labels_of(labels[waited <= delay], uses)
    return matured


def _are_labels(rows: Rows) -> NDArray[np.bool_]:
    return np.isin(rows[:, KIND], (IS_FRAUD, IS_GENUINE))
