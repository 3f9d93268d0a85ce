"""Numbers of each tile: counts, sums, squares, extremes, times of day."""

from math import sqrt

import numpy as np

from domain.features.kernel.arrays import Floats, Ints
from domain.features.kernel.compiled import compiled
from domain.features.kernel.layout import (
    A_COUNT,
    A_HOUR_DEVIATION,
    A_MAX,
    A_MEAN,
    A_MIN,
    A_RATIO_TO_MAX,
    A_RATIO_TO_MEAN,
    A_SINCE_FIRST,
    A_SINCE_LAST,
    A_STD,
    A_SUM,
    A_Z_SCORE,
    C_FIRST,
    C_GREATEST,
    C_HIGH,
    C_HOUR_X,
    C_HOUR_Y,
    C_LATEST,
    C_LEAST,
    C_LOW,
    C_SUM,
    F_AGGREGATION,
    F_HORIZON,
    F_OUT,
    F_SPAN,
    F_TILE,
    FLOAT_HOUR_US,
    HOUR_US,
    S_BASE,
    S_COLUMNS,
    S_FIRST,
    S_HORIZON,
    S_LAST,
    S_STRIDE,
    S_TILE,
)
from domain.features.kernel.row_layout import AMOUNT, TIME
from domain.features.kernel.stores.slots import lower, open_slot
from domain.features.kernel.wide import Wide, as_float, difference, plus, spread, times

LIMB = 1 << 62
_62, _2, _SHIFT = np.uint64(LIMB - 1), np.uint64(2), np.uint64(62)
HOUR_SCALE = 4096
# sin of 0, 15 ... 345 degrees, times the scale, to the nearest integer; cos is six hours ahead.
SINES = (
    0, 1060, 2048, 2896, 3547, 3956, 4096, 3956, 3547, 2896, 2048, 1060,
    0, -1060, -2048, -2896, -3547, -3956, -4096, -3956, -3547, -2896, -2048, -1060,
)  # fmt: skip


@compiled
def fold_tiles(stores: Ints, mem: Ints, heads: Ints, s: int, row: Ints, latest: int) -> None:
    store, time, amount = stores[s], row[TIME], row[AMOUNT]
    width = store[S_TILE]
    tile = time // width
    if tile < (latest - store[S_HORIZON]) // width:
        return
    base, stride = store[S_BASE], store[S_STRIDE]
    start, at = heads[s, 0], heads[s, 1]
    while at > start and mem[base + at - 1] > tile:
        at -= 1
    if at > start and mem[base + at - 1] == tile:
        at -= 1
    else:
        at = open_slot(stores, mem, heads, s, at)
        for c in range(1, store[S_COLUMNS]):
            mem[base + c * stride + at] = 0
        mem[base + at] = tile
        if store[C_LEAST] >= 0:
            mem[base + store[C_LEAST] * stride + at] = amount
        if store[C_FIRST] >= 0:
            mem[base + store[C_FIRST] * stride + at] = time
        if store[C_LATEST] >= 0:
            mem[base + store[C_LATEST] * stride + at] = time
    mem[base + stride + at] += 1
    if store[C_SUM] >= 0:
        mem[base + store[C_SUM] * stride + at] += amount
    if store[C_HIGH] >= 0:
        upper, lower_half = times(np.uint64(amount), np.uint64(amount))
        high, low = base + store[C_HIGH] * stride + at, base + store[C_LOW] * stride + at
        # Limbs of 62 bits, so that both are int64 above zero.
        mem[low] += int(lower_half & _62)
        mem[high] += int((upper << _2) | (lower_half >> _SHIFT))
        _carry(mem, high, low)
    if store[C_HOUR_X] >= 0:
        hour = time // HOUR_US % 24
        # Kept above zero, for few bytes: the scale times the count is taken off again.
        mem[base + store[C_HOUR_X] * stride + at] += SINES[(hour + 6) % 24] + HOUR_SCALE
        mem[base + store[C_HOUR_Y] * stride + at] += SINES[hour] + HOUR_SCALE
    least, greatest = store[C_LEAST], store[C_GREATEST]
    if least >= 0 and amount < mem[base + least * stride + at]:
        mem[base + least * stride + at] = amount
    if greatest >= 0 and amount > mem[base + greatest * stride + at]:
        mem[base + greatest * stride + at] = amount
    first, last = store[C_FIRST], store[C_LATEST]
    if first >= 0 and time < mem[base + first * stride + at]:
        mem[base + first * stride + at] = time
    if last >= 0 and time > mem[base + last * stride + at]:
        mem[base + last * stride + at] = time


@compiled
def _carry(mem: Ints, high: int, low: int) -> None:
    if mem[low] >= LIMB:
        mem[low] -= LIMB
        mem[high] += 1


@compiled
def _squares(mem: Ints, high: int, low: int, start: int, end: int) -> tuple[Wide, Wide]:
    """(high, low) of 64 bits each."""
    upper, lower_half = np.uint64(0), np.uint64(0)
    for i in range(start, end):
        limb = np.uint64(mem[high + i])
        rest = np.uint64(mem[low + i])
        upper, lower_half = plus(upper, lower_half, limb >> _2, (limb << _SHIFT) | rest)
    return upper, lower_half


@compiled
def window_of(
    feature: Ints, mem: Ints, base: int, start: int, end: int, time: int, latest: int
) -> tuple[int, int]:
    """The items of a feature's window at `time`: [from, to) of tiles between start and end."""
    width = feature[F_TILE]
    oldest = max(time - feature[F_SPAN], latest - feature[F_HORIZON]) // width
    first = lower(mem, base, start, end, oldest)
    return first, lower(mem, base, first, end, time // width + 1)


@compiled
def _sum(mem: Ints, first: int, start: int, end: int) -> int:
    total = 0
    for i in range(first + start, first + end):
        total += mem[i]
    return total


@compiled
def _least(mem: Ints, first: int, start: int, end: int) -> int:
    least = int(mem[first + start])
    for i in range(first + start + 1, first + end):
        least = min(least, mem[i])
    return least


@compiled
def _greatest(mem: Ints, first: int, start: int, end: int) -> int:
    greatest = int(mem[first + start])
    for i in range(first + start + 1, first + end):
        greatest = max(greatest, mem[i])
    return greatest


@compiled
def finish_tiles(
    stores: Ints,
    features: Ints,
    mem: Ints,
    heads: Ints,
    s: int,
    row: Ints,
    latest: int,
    out: Floats,
) -> None:
    """All features of a store share its window."""
    store, time, amount = stores[s], row[TIME], row[AMOUNT]
    base, stride = store[S_BASE], store[S_STRIDE]
    start, end = window_of(
        features[store[S_FIRST]], mem, base, heads[s, 0], heads[s, 1], time, latest
    )
    number = _sum(mem, base + stride, start, end)
    total = 0
    wide = 0.0
    if number:
        if store[C_SUM] >= 0:
            total = _sum(mem, base + store[C_SUM] * stride, start, end)
        if store[C_HIGH] >= 0:
            high, low = base + store[C_HIGH] * stride, base + store[C_LOW] * stride
            squares, rest = _squares(mem, high, low, start, end)
            squares, rest = spread(number, total, squares, rest)
            wide = as_float(squares, rest)
    for f in range(store[S_FIRST], store[S_LAST]):
        kind, place = features[f, F_AGGREGATION], features[f, F_OUT]
        if kind == A_COUNT:
            out[place] = float(number)
        elif kind == A_SUM:
            out[place] = float(total) / 100.0
        elif number == 0:
            continue
        elif kind == A_MEAN:
            out[place] = float(total) / 100.0 / float(number)
        elif kind == A_STD:
            if number > 1:
                out[place] = sqrt(wide) / float(number) / 100.0
        elif kind == A_MIN:
            least = _least(mem, base + store[C_LEAST] * stride, start, end)
            out[place] = float(least) / 100.0
        elif kind == A_MAX:
            greatest = _greatest(mem, base + store[C_GREATEST] * stride, start, end)
            out[place] = float(greatest) / 100.0
        elif kind == A_RATIO_TO_MEAN:
            if total:
                out[place] = float(amount) * float(number) / float(total)
        elif kind == A_RATIO_TO_MAX:
            greatest = _greatest(mem, base + store[C_GREATEST] * stride, start, end)
            if greatest:
                out[place] = float(amount) / float(greatest)
        elif kind == A_Z_SCORE:
            if wide > 0.0:
                out[place] = difference(number, amount, total) / sqrt(wide)
        elif kind == A_SINCE_LAST:
            last = mem[base + store[C_LATEST] * stride + end - 1]
            out[place] = float(max(time - last, 0)) / FLOAT_HOUR_US
        elif kind == A_SINCE_FIRST:
            first = mem[base + store[C_FIRST] * stride + start]
            out[place] = float(max(time - first, 0)) / FLOAT_HOUR_US
        elif kind == A_HOUR_DEVIATION:
            x = _sum(mem, base + store[C_HOUR_X] * stride, start, end) - HOUR_SCALE * number
            y = _sum(mem, base + store[C_HOUR_Y] * stride, start, end) - HOUR_SCALE * number
            if x != 0 or y != 0:
                out[place] = hour_deviation(time, float(x), float(y))


@compiled
def hour_deviation(time: int, x: float, y: float) -> float:
    """1 - cos of the angle between the hour of `time` and the mean hour, (x, y) its sums."""
    hour = time // HOUR_US % 24
    along = float(SINES[(hour + 6) % 24]) * x + float(SINES[hour]) * y
    return 1.0 - along / (float(HOUR_SCALE) * sqrt(x * x + y * y))


@compiled
def merge_tiles(
    stores: Ints, mem: Ints, heads: Ints, s: int, other_mem: Ints, other_heads: Ints, latest: int
) -> None:
    """Adds the tiles of another state of the same layout."""
    store = stores[s]
    base, stride = store[S_BASE], store[S_STRIDE]
    oldest = (latest - store[S_HORIZON]) // store[S_TILE]
    for j in range(other_heads[s, 0], other_heads[s, 1]):
        tile = other_mem[base + j]
        if tile < oldest:
            continue
        start, at = heads[s, 0], heads[s, 1]
        while at > start and mem[base + at - 1] > tile:
            at -= 1
        if at == start or mem[base + at - 1] != tile:
            at = open_slot(stores, mem, heads, s, at)
            for c in range(store[S_COLUMNS]):
                mem[base + c * stride + at] = other_mem[base + c * stride + j]
            continue
        at -= 1
        for c in range(1, store[S_COLUMNS]):
            mine, theirs = base + c * stride + at, other_mem[base + c * stride + j]
            if c == store[C_LEAST] or c == store[C_FIRST]:
                mem[mine] = min(mem[mine], theirs)
            elif c == store[C_GREATEST] or c == store[C_LATEST]:
                mem[mine] = max(mem[mine], theirs)
            else:
                mem[mine] += theirs
        if store[C_HIGH] >= 0:
            high, low = base + store[C_HIGH] * stride + at, base + store[C_LOW] * stride + at
            _carry(mem, high, low)
