"""Owns the labels of an entity one by one, so that a reversal replaces; knows no transaction.

Columns: known time, digest of the event id, digest of the transaction id, 1 for fraud, and the
known time of the label of the same transaction that replaces it (FOR_EVER where none does). Both
bounds cut off the oldest, so no label outlives the one that replaced it.
"""

from __future__ import annotations

from domain.features.kernel.arrays import Floats, Ints
from domain.features.kernel.compiled import compiled
from domain.features.kernel.layout import (
    A_FRAUD_COUNT,
    A_FRAUD_OF_LAST,
    A_FRAUD_RATE,
    A_FRAUD_RUN,
    A_FRAUD_RUN_HOURS,
    A_LABEL_COUNT,
    F_AGGREGATION,
    F_CAP,
    F_HORIZON,
    F_NUMBER,
    F_OUT,
    F_SPAN,
    F_TILE,
    FOR_EVER,
    S_BASE,
    S_CAP,
    S_FIRST,
    S_HORIZON,
    S_LAST,
    S_STRIDE,
)
from domain.features.kernel.slots import lower, open_slot, place_of
from domain.features.kernel.tiles import FLOAT_HOUR_US
from domain.features.rows import IS_FRAUD, KIND, ORDER, TIME, TRANSACTION


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
    mem[base + 4 * stride + at] = FOR_EVER
    link(stores, mem, heads, s, at)
    if heads[s, 1] - heads[s, 0] > store[S_CAP]:
        heads[s, 0] += 1


@compiled
def link(stores: Ints, mem: Ints, heads: Ints, s: int, at: int) -> None:
    """Tells the label before it of the same transaction, and it the one after, who replaces whom"""
    base, stride = stores[s, S_BASE], stores[s, S_STRIDE]
    transactions, replaced = base + 2 * stride, base + 4 * stride
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
    put_label(stores, mem, heads, s, row[TIME], row[ORDER], row[TRANSACTION], fraud, latest)


@compiled
def finish_labels(
    stores: Ints,
    features: Ints,
    mem: Ints,
    heads: Ints,
    s: int,
    row: Ints,
    latest: int,
    out: Floats,
) -> None:
    store, time = stores[s], row[TIME]
    base, stride, last = store[S_BASE], store[S_STRIDE], heads[s, 1]
    for f in range(store[S_FIRST], store[S_LAST]):
        tile = features[f, F_TILE]
        oldest = max(time - features[f, F_SPAN], latest - features[f, F_HORIZON])
        begin = max(heads[s, 0], last - features[f, F_CAP])
        start = lower(mem, base, begin, last, oldest // tile * tile)
        upto = time // tile * tile
        end = lower(mem, base, start, last, upto)
        _finish(features[f], mem, base, stride, start, end, upto, time, out)


@compiled
def _finish(
    feature: Ints,
    mem: Ints,
    base: int,
    stride: int,
    start: int,
    end: int,
    upto: int,
    time: int,
    out: Floats,
) -> None:
    kind, place = feature[F_AGGREGATION], feature[F_OUT]
    frauds, replaced = base + 3 * stride, base + 4 * stride
    if kind in (A_LABEL_COUNT, A_FRAUD_COUNT, A_FRAUD_RATE):
        count, fraud = 0, 0
        for i in range(start, end):
            if mem[replaced + i] >= upto:
                count += 1
                fraud += mem[frauds + i]
        if kind == A_LABEL_COUNT:
            out[place] = float(count)
        elif kind == A_FRAUD_COUNT:
            out[place] = float(fraud)
        elif count:
            out[place] = float(fraud) / float(count)
    elif kind in (A_FRAUD_RUN, A_FRAUD_RUN_HOURS):
        length, since = 0, 0
        for i in range(end - 1, start - 1, -1):
            if mem[replaced + i] >= upto:
                if not mem[frauds + i]:
                    break
                length += 1
                since = mem[base + i]
        if kind == A_FRAUD_RUN:
            out[place] = float(length)
        elif length:
            out[place] = float(time - since) / FLOAT_HOUR_US
    else:
        wanted = feature[F_NUMBER]
        seen, fraud = 0, 0
        for i in range(end - 1, start - 1, -1):
            if mem[replaced + i] >= upto:
                seen += 1
                fraud += mem[frauds + i]
                if seen == wanted:
                    if kind != A_FRAUD_OF_LAST:
                        out[place] = float(mem[frauds + i])
                    break
        if kind == A_FRAUD_OF_LAST:
            out[place] = float(fraud)


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
            latest,
        )
