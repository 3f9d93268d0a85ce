"""Pairs of tile and digest (who or what was seen when): novelty and distinct counts.

PAIRS keeps the greatest `cap` pairs of the store. SKETCH keeps all digests of a tile up to `cap`;
beyond it those alone whose digest ends in L zero bits, L the least that brings them within the cap,
and a mark (tile, MARKS + L). Both are functions of the set of pairs put in, whatever the order.
"""

from domain.features.kernel.arrays import Floats, Ints
from domain.features.kernel.compiled import compiled
from domain.features.kernel.layout import (
    F_OUT,
    S_BASE,
    S_CAP,
    S_FIELD,
    S_FIRST,
    S_HORIZON,
    S_LAST,
    S_STRIDE,
    S_TILE,
)
from domain.features.kernel.row_layout import PRESENT, TIME
from domain.features.kernel.stores.slots import close_slot, lower, open_slot, place_of
from domain.features.kernel.stores.tiles import window_of

MARKS = -(1 << 63)
LEVELS = 64


@compiled
def _insert(stores: Ints, mem: Ints, heads: Ints, s: int, at: int, tile: int, value: int) -> None:
    at = open_slot(stores, mem, heads, s, at)
    base = stores[s, S_BASE]
    mem[base + at] = tile
    mem[base + stores[s, S_STRIDE] + at] = value


@compiled
def put_pair(
    stores: Ints, mem: Ints, heads: Ints, s: int, tile: int, value: int, latest: int
) -> None:
    if tile < (latest - stores[s, S_HORIZON]) // stores[s, S_TILE]:
        return
    at, known = place_of(stores, mem, heads, s, tile, value)
    if known:
        return
    _insert(stores, mem, heads, s, at, tile, value)
    if heads[s, 1] - heads[s, 0] > stores[s, S_CAP]:
        heads[s, 0] += 1


@compiled
def zeros(value: int) -> int:
    """Zero bits at the end, 63 at most."""
    count = 0
    while count < LEVELS - 1 and not value & 1:
        value >>= 1
        count += 1
    return count


@compiled
def put_sketch(
    stores: Ints, mem: Ints, heads: Ints, s: int, tile: int, value: int, latest: int
) -> None:
    """`value` may be a mark of another sketch: then the level is raised to its own at least."""
    if tile < (latest - stores[s, S_HORIZON]) // stores[s, S_TILE]:
        return
    base = stores[s, S_BASE]
    beside = base + stores[s, S_STRIDE]
    begin, _ = place_of(stores, mem, heads, s, tile, MARKS)
    level = 0
    if begin < heads[s, 1] and mem[base + begin] == tile:
        held = mem[beside + begin]
        level = held - MARKS if held < MARKS + LEVELS else 0
    if value < MARKS + LEVELS:
        raised = value - MARKS
    elif zeros(value) < level:
        return
    else:
        raised = level
        at, known = place_of(stores, mem, heads, s, tile, value)
        if known:
            return
        _insert(stores, mem, heads, s, at, tile, value)
    _settle(stores, mem, heads, s, tile, level, raised)


@compiled
def _settle(
    stores: Ints, mem: Ints, heads: Ints, s: int, tile: int, level: int, raised: int
) -> None:
    """Raises the level of a tile until its digests are within the cap."""
    base = stores[s, S_BASE]
    beside = base + stores[s, S_STRIDE]
    while True:
        begin = lower(mem, base, heads[s, 0], heads[s, 1], tile)
        end = lower(mem, base, begin, heads[s, 1], tile + 1)
        values = end - begin - (1 if level > 0 else 0)
        if level >= raised and (values <= stores[s, S_CAP] or level == LEVELS - 1):
            return
        if level == 0:
            _insert(stores, mem, heads, s, begin, tile, MARKS + 1)
            begin = lower(mem, base, heads[s, 0], heads[s, 1], tile)
            end = lower(mem, base, begin, heads[s, 1], tile + 1)
        level += 1
        mem[beside + begin] = MARKS + level
        for at in range(end - 1, begin, -1):
            if zeros(mem[beside + at]) < level:
                close_slot(stores, mem, heads, s, at)


@compiled
def fold_pairs(stores: Ints, mem: Ints, heads: Ints, s: int, row: Ints, latest: int) -> None:
    field = stores[s, S_FIELD]
    if row[PRESENT] & (1 << field):
        put_pair(stores, mem, heads, s, row[TIME] // stores[s, S_TILE], row[field], latest)


@compiled
def fold_sketch(stores: Ints, mem: Ints, heads: Ints, s: int, row: Ints, latest: int) -> None:
    field = stores[s, S_FIELD]
    if row[PRESENT] & (1 << field):
        # The digests that would read as marks are as likely as a collision: one value for all.
        value = max(row[field], MARKS + LEVELS)
        put_sketch(stores, mem, heads, s, row[TIME] // stores[s, S_TILE], value, latest)


@compiled
def finish_pairs(
    stores: Ints,
    features: Ints,
    mem: Ints,
    heads: Ints,
    s: int,
    row: Ints,
    latest: int,
    out: Floats,
) -> None:
    """1 for a value that the window does not hold, 0 for one that it does."""
    store = stores[s]
    field, base = store[S_FIELD], store[S_BASE]
    if not row[PRESENT] & (1 << field):
        return
    start, end = window_of(
        features[store[S_FIRST]], mem, base, heads[s, 0], heads[s, 1], row[TIME], latest
    )
    answer = 1.0
    for i in range(base + store[S_STRIDE] + start, base + store[S_STRIDE] + end):
        if mem[i] == row[field]:
            answer = 0.0
            break
    for f in range(store[S_FIRST], store[S_LAST]):
        out[features[f, F_OUT]] = answer


@compiled
def finish_sketch(
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
    """Digests at the highest level of the window, each counted 2^level times."""
    store = stores[s]
    base = store[S_BASE]
    start, end = window_of(
        features[store[S_FIRST]], mem, base, heads[s, 0], heads[s, 1], row[TIME], latest
    )
    beside, level = base + store[S_STRIDE], 0
    for i in range(beside + start, beside + end):
        if mem[i] < MARKS + LEVELS:
            level = max(level, mem[i] - MARKS)
    held = 0
    for i in range(beside + start, beside + end):
        if mem[i] >= MARKS + LEVELS and zeros(mem[i]) >= level:
            spare[held] = mem[i]
            held += 1
    spare[:held].sort()
    distinct = 1 if held else 0
    for i in range(1, held):
        if spare[i] != spare[i - 1]:
            distinct += 1
    value = float(distinct)
    for _ in range(level):
        value *= 2.0
    for f in range(store[S_FIRST], store[S_LAST]):
        out[features[f, F_OUT]] = value


@compiled
def merge_pairs(
    stores: Ints, mem: Ints, heads: Ints, s: int, other_mem: Ints, other_heads: Ints, latest: int
) -> None:
    base, stride = stores[s, S_BASE], stores[s, S_STRIDE]
    for j in range(other_heads[s, 0], other_heads[s, 1]):
        put_pair(stores, mem, heads, s, other_mem[base + j], other_mem[base + stride + j], latest)


@compiled
def merge_sketch(
    stores: Ints, mem: Ints, heads: Ints, s: int, other_mem: Ints, other_heads: Ints, latest: int
) -> None:
    base, stride = stores[s, S_BASE], stores[s, S_STRIDE]
    for j in range(other_heads[s, 0], other_heads[s, 1]):
        put_sketch(stores, mem, heads, s, other_mem[base + j], other_mem[base + stride + j], latest)
