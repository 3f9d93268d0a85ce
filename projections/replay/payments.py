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
    IS_TRANSACTION,
    KIND,
    PRESENT,
    TIME,
    TRANSACTION,
    Rows,
)
from domain.features.payments import UNLABELLED, Payments


def payments_of(rows: Rows, wanted: NDArray[np.bool_], delays: Sequence[int]) -> Payments:
    """Of the `wanted` transactions among `rows`, which are ordered by known time."""
    present = rows[wanted, PRESENT]
    has_card, has_customer = ((present >> column) & 1 for column in (CARD, CUSTOMER))
    named = np.where(has_customer, rows[wanted, CUSTOMER], 0)
    return Payments(
        np.where(has_card, rows[wanted, CARD], named),
        rows[wanted, AMOUNT],
        rows[wanted, FILTERS] & FILTER_BITS[Filter.DECLINED] > 0,
        _matured(rows, rows[wanted, TRANSACTION], rows[wanted, TIME], delays),
    )


def labels_of(rows: Rows, transactions: Ints) -> Ints:
    """The last label of each transaction among `rows`, which are ordered by known time."""
    given = np.flatnonzero(rows[:, KIND] != IS_TRANSACTION)
    # A stable sort keeps the last of equal ones last.
    given = given[np.argsort(rows[given, TRANSACTION], kind="stable")]
    named = rows[given, TRANSACTION]
    place = np.searchsorted(named, transactions, side="right") - 1
    found = (place >= 0) & (len(named) > 0)
    if len(named):
        found &= named[np.maximum(place, 0)] == transactions
    labels = np.full(len(transactions), UNLABELLED, dtype=np.int64)
    labels[found] = rows[given[place[found]], KIND] == IS_FRAUD
    return labels


def _matured(
    rows: Rows, transactions: Ints, times: Ints, delays: Sequence[int]
) -> NDArray[np.int8]:
    matured = np.full((len(transactions), len(delays)), UNLABELLED, dtype=np.int8)
    if not len(transactions) or not len(delays):
        return matured
    labels = rows[rows[:, KIND] != IS_TRANSACTION]
    order = np.argsort(transactions)
    known = transactions[order]
    place = np.minimum(np.searchsorted(known, labels[:, TRANSACTION]), len(known) - 1)
    ours = known[place] == labels[:, TRANSACTION]
    # The time of a label is its known time.
    waited = labels[:, TIME] - times[order[place]]
    for number, delay in enumerate(delays):
        early = labels[ours & (waited <= delay)]
        matured[:, number] = labels_of(early, transactions)
    return matured
