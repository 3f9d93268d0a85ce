"""Owns the latest amounts one by one, for quantiles; knows no tile but for the window's edge."""

from __future__ import annotations

from domain.features.kernel.arrays import Floats, Ints
from domain.features.kernel.compiled import compiled
from domain.features.kernel.layout import (
    A_HIGH_COUNT,
    A_QUANTILE,
    F_AGGREGATION,
    F_NUMBER,
    F_OUT,
    F_SPAN,
    F_TILE,
    S_BASE,
    S_CAP,
    S_FIRST,
    S_HORIZON,
    S_LAST,
    S_SPAN,
    S_STRIDE,
    S_TILE,
)
from domain.features.kernel.slots import lower, open_slot, place_of
from domain.features.rows import AMOUNT, ORDER, TIME


@compiled
def put_value(
    stores: Ints, mem: Ints, heads: Ints, s: int, time: int, order: int, amount: int, latest: int
) -> None:
    """The greatest `cap` by (time, digest of the event id) stay."""
    store = stores[s]
    width = store[S_TILE]
    if time // width < (latest - store[S_HORIZON]) // width:
        return
    at, _ = place_of(stores, mem, heads, s, time, order)
    at = open_slot(stores, mem, heads, s, at)
    base, stride = store[S_BASE], store[S_STRIDE]
    mem[base + at] = time
    mem[base + stride + at] = order
    mem[base + 2 * stride + at] = amount
    if heads[s, 1] - heads[s, 0] > store[S_CAP]:
        heads[s, 0] += 1


@compiled
def fold_values(stores: Ints, mem: Ints, heads: Ints, s: int, row: Ints, latest: int) -> None:
    put_value(stores, mem, heads, s, row[TIME], row[ORDER], row[AMOUNT], latest)


@compiled
def nearest_rank(held: int, thousandths: int) -> int:
    """Place of a quantile among `held` sorted values: ceil(held * q) - 1."""
    return max((held * thousandths + 999) // 1000 - 1, 0)


@compiled
def finish_values(
    stores: Ints,
    features: Ints,
    mem: Ints,
    heads: Ints,
    s: int,
    row: Ints,
    latest: int,
    out: Floats,
    spare: Ints,
) -> None:
    store, time, amount = stores[s], row[TIME], row[AMOUNT]
    base, stride, width = store[S_BASE], store[S_STRIDE], store[S_TILE]
    # Kept by time, not by tile: the edges of the window are those of its first and last tile.
    oldest = max(time - store[S_SPAN], latest - store[S_HORIZON]) // width * width
    start = lower(mem, base, heads[s, 0], heads[s, 1], oldest)
    end = lower(mem, base, start, heads[s, 1], time // width * width + width)
    held = end - start
    amounts = base + 2 * stride
    for i in range(held):
        spare[i] = mem[amounts + start + i]
    spare[:held].sort()
    for f in range(store[S_FIRST], store[S_LAST]):
        kind, place = features[f, F_AGGREGATION], features[f, F_OUT]
        value = spare[nearest_rank(held, features[f, F_NUMBER])] if held else 0
        if kind == A_HIGH_COUNT:
            tile = features[f, F_TILE]
            since = (time - features[f, F_SPAN]) // tile * tile
            until = time // tile * tile + tile
            high = 0
            for i in range(start, end):
                if since <= mem[base + i] < until and mem[amounts + i] > value:
                    high += 1
            out[place] = float(high)
        elif held:
            if kind == A_QUANTILE:
                out[place] = float(value) / 100.0
            elif value:
                out[place] = float(amount) / float(value)


@compiled
def merge_values(
    stores: Ints, mem: Ints, heads: Ints, s: int, other_mem: Ints, other_heads: Ints, latest: int
) -> None:
    base, stride = stores[s, S_BASE], stores[s, S_STRIDE]
    for j in range(other_heads[s, 0], other_heads[s, 1]):
        put_value(
            stores,
            mem,
            heads,
            s,
            other_mem[base + j],
            other_mem[base + stride + j],
            other_mem[base + 2 * stride + j],
            latest,
        )
