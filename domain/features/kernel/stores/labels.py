"""Labels of an entity, kept one by one so that a reversal replaces an earlier one.

Columns: known time, digest of the event id, digest of the transaction id, 1 for fraud, amount, and
from when on the label counts no more: the least known time of the labels of its transaction that
stand behind it in the log, FOR_EVER where there are none. One that was replaced before it was known
never counts; it has its own known time there. Labels of a transaction are folded in the order of
the log, and any that is not is marked (IS_OVERRULED): so what replaced a label need not be kept
longer than the label.
"""

from domain.features.kernel.arrays import Ints
from domain.features.kernel.compiled import compiled
from domain.features.kernel.layout import FOR_EVER, S_BASE, S_CAP, S_HORIZON, S_STRIDE
from domain.features.kernel.row_layout import (
    AMOUNT,
    IS_FRAUD,
    IS_OVERRULED,
    KIND,
    ORDER,
    PRESENT,
    TIME,
    TRANSACTION,
)
from domain.features.kernel.stores.slots import open_slot, place_of


@compiled
def put_label(
    stores: Ints,
    mem: Ints,
    heads: Ints,
    s: int,
    known: int,
    order: int,
    transaction: int,
    fraud: int,
    amount: int,
    replaced: int,
    latest: int,
) -> None:
    store = stores[s]
    if known < latest - store[S_HORIZON]:
        return
    at, _ = place_of(stores, mem, heads, s, known, order)
    at = open_slot(stores, mem, heads, s, at)
    base, stride = store[S_BASE], store[S_STRIDE]
    mem[base + at] = known
    mem[base + stride + at] = order
    mem[base + 2 * stride + at] = transaction
    mem[base + 3 * stride + at] = fraud
    mem[base + 4 * stride + at] = amount
    mem[base + 5 * stride + at] = replaced
    if heads[s, 1] - heads[s, 0] > store[S_CAP]:
        heads[s, 0] += 1


@compiled
def _replace(stores: Ints, mem: Ints, heads: Ints, s: int, transaction: int, known: int) -> None:
    """The labels of the transaction so far count no more from `known` on."""
    base, stride = stores[s, S_BASE], stores[s, S_STRIDE]
    for i in range(base + heads[s, 0], base + heads[s, 1]):
        if mem[i + 2 * stride] == transaction:
            mem[i + 5 * stride] = min(mem[i + 5 * stride], max(known, mem[i]))


@compiled
def replaced_next(stores: Ints, mem: Ints, heads: Ints, s: int, at: int) -> int:
    """When label `at` was replaced where known times rise as the log does: known time of the next
    label of its transaction, FOR_EVER where there is none."""
    base, stride = stores[s, S_BASE], stores[s, S_STRIDE]
    transactions = base + 2 * stride
    for i in range(at + 1, heads[s, 1]):
        if mem[transactions + i] == mem[transactions + at]:
            return int(mem[base + i])
    return FOR_EVER


@compiled
def fold_label(stores: Ints, mem: Ints, heads: Ints, s: int, row: Ints, latest: int) -> None:
    fraud = 1 if row[KIND] == IS_FRAUD else 0
    replaced = FOR_EVER
    if row[PRESENT] & IS_OVERRULED:
        replaced = row[TIME]
    else:
        _replace(stores, mem, heads, s, row[TRANSACTION], row[TIME])
    put_label(
        stores, mem, heads, s, row[TIME], row[ORDER], row[TRANSACTION], fraud, row[AMOUNT],
        replaced, latest,
    )  # fmt: skip


@compiled
def merge_labels(
    stores: Ints, mem: Ints, heads: Ints, s: int, other_mem: Ints, other_heads: Ints, latest: int
) -> None:
    base, stride = stores[s, S_BASE], stores[s, S_STRIDE]
    for j in range(other_heads[s, 0], other_heads[s, 1]):
        put_label(
            stores,
            mem,
            heads,
            s,
            other_mem[base + j],
            other_mem[base + stride + j],
            other_mem[base + 2 * stride + j],
            other_mem[base + 3 * stride + j],
            other_mem[base + 4 * stride + j],
            other_mem[base + 5 * stride + j],
            latest,
        )
