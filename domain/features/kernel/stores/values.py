"""The latest amounts one by one, for quantiles."""

from domain.features.kernel.arrays import Floats, Ints
from domain.features.kernel.compiled import compiled
from domain.features.kernel.layout import (
    A_HIGH_COUNT,
    A_MAX_TO_QUANTILE,
    A_QUANTILE,
    A_RATIO_TO_CORE_MEAN,
    A_RATIO_TO_QUANTILE,
    A_ROBUST_Z,
    A_SINCE_HIGH,
    F_AGGREGATION,
    F_NUMBER,
    F_OUT,
    F_SPAN,
    F_TILE,
    F_TIMES,
    FLOAT_HOUR_US,
    S_BASE,
    S_CAP,
    S_FIRST,
    S_HORIZON,
    S_LAST,
    S_SPAN,
    S_STRIDE,
    S_TILE,
)
from domain.features.kernel.row_layout import AMOUNT, ORDER, TIME
from domain.features.kernel.stores.slots import lower, open_slot, place_of
from domain.features.kernel.stores.sorted_amounts import sorted_amounts


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
    values = sorted_amounts(stores, s, mem, amounts + start, held, spare)
    for f in range(store[S_FIRST], store[S_LAST]):
        kind, place = features[f, F_AGGREGATION], features[f, F_OUT]
        if held == 0:
            if kind == A_HIGH_COUNT:
                out[place] = 0.0
            continue
        rank = nearest_rank(held, features[f, F_NUMBER])
        value = values[rank]
        if kind == A_QUANTILE:
            out[place] = float(value) / 100.0
        elif kind == A_RATIO_TO_QUANTILE:
            if value:
                out[place] = float(amount) / float(value)
        elif kind == A_ROBUST_Z:
            deviation = nearest_deviation(values, held, rank)
            if deviation:
                out[place] = float(amount - value) / float(deviation)
        elif kind == A_RATIO_TO_CORE_MEAN:
            number, total = core(values, held, features[f, F_TIMES] * value)
            if total:
                out[place] = float(amount) * float(number) / float(total)
        else:
            _against(features[f], mem, base, amounts, start, end, time, value, out)


@compiled
def nearest_deviation(values: Ints, held: int, rank: int) -> int:
    """Of `held` sorted values the distances to that of `rank`; of these, sorted, that of `rank`."""
    if rank == 0:
        return 0
    centre = values[rank]
    # `low` of them lie below: the fewest that are no nearer than the last one above.
    low, high = max(2 * rank - held + 1, 0), rank
    while low < high:
        middle = (low + high) >> 1
        if values[2 * rank - middle] - centre <= centre - values[rank - 1 - middle]:
            high = middle
        else:
            low = middle + 1
    below = centre - values[rank - low] if low else 0
    return int(max(below, values[2 * rank - low] - centre if low < rank else 0))


@compiled
def core(values: Ints, held: int, most: int) -> tuple[int, int]:
    """(number, sum) of the sorted values that are not above `most`."""
    number, end = 0, held
    while number < end:
        middle = (number + end) >> 1
        if values[middle] <= most:
            number = middle + 1
        else:
            end = middle
    total = 0
    for i in range(number):
        total += values[i]
    return number, total


@compiled
def _against(
    feature: Ints,
    mem: Ints,
    base: int,
    amounts: int,
    start: int,
    end: int,
    time: int,
    value: int,
    out: Floats,
) -> None:
    """The amounts of the feature's own window, held against a quantile of the baseline."""
    kind, place, tile = feature[F_AGGREGATION], feature[F_OUT], feature[F_TILE]
    since = (time - feature[F_SPAN]) // tile * tile
    until = time // tile * tile + tile
    limit = feature[F_TIMES] * value
    inside, high, greatest, first, last = 0, 0, 0, 0, 0
    start = lower(mem, base, start, end, since)
    end = lower(mem, base, start, end, until)
    for i in range(start, end):
        inside += 1
        greatest = max(greatest, mem[amounts + i])
        if mem[amounts + i] > limit:
            last = mem[base + i]
            first = last if high == 0 else first
            high += 1
    if kind == A_HIGH_COUNT:
        out[place] = float(high)
    elif kind == A_MAX_TO_QUANTILE:
        if inside and value:
            out[place] = float(greatest) / float(value)
    elif high:
        then = last if kind == A_SINCE_HIGH else first
        out[place] = float(max(time - then, 0)) / FLOAT_HOUR_US


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
