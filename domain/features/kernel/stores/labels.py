"""Labels of an entity, kept one by one so that a reversal replaces an earlier one.

Columns: known time, digest of the event id, digest of the transaction id, 1 for fraud, amount, and
the known time of the label of the same transaction that replaces it (FOR_EVER where none does).
Both bounds cut off the oldest, so no label outlives the one that replaced it.
"""

from domain.features.kernel.arrays import Ints
from domain.features.kernel.compiled import compiled
from domain.features.kernel.layout import FOR_EVER, S_BASE, S_CAP, S_HORIZON, S_STRIDE
from domain.features.kernel.row_layout import AMOUNT, IS_FRAUD, KIND, ORDER, TIME, TRANSACTION
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
    mem[base + 5 * stride + at] = FOR_EVER
    link(stores, mem, heads, s, at)
    if heads[s, 1] - heads[s, 0] > store[S_CAP]:
        heads[s, 0] += 1


@compiled
def link(stores: Ints, mem: Ints, heads: Ints, s: int, at: int) -> None:
    """Writes when label `at` was replaced, and when the label before it was: same transaction."""
    base, stride = stores[s, S_BASE], stores[s, S_STRIDE]
    transactions, replaced = base + 2 * stride, base + 5 * stride
    transaction = mem[transactions + at]
    for i in range(at - 1, heads[s, 0] - 1, -1):
        if mem[transactions + i] == transaction:
            mem[replaced + i] = mem[base + at]
            break
    for i in range(at + 1, heads[s, 1]):
        if mem[transactions + i] == transaction:
            mem[replaced + at] = mem[base + i]
            break


@compiled
def fold_label(stores: Ints, mem: Ints, heads: Ints, s: int, row: Ints, latest: int) -> None:
    fraud = 1 if row[KIND] == IS_FRAUD else 0
    put_label(
        stores, mem, heads, s, row[TIME], row[ORDER], row[TRANSACTION], fraud, row[AMOUNT], latest
    )


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
            latest,
        )
