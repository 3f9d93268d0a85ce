"""The last place of each tile, by (time, digest of the event id), and chords between places."""

from math import sqrt

from domain.features.coordinates import KM_PER_UNIT
from domain.features.kernel.arrays import Floats, Ints
from domain.features.kernel.compiled import compiled
from domain.features.kernel.layout import (
    A_DISTANCE,
    F_AGGREGATION,
    F_OUT,
    FLOAT_HOUR_US,
    S_BASE,
    S_FIRST,
    S_HORIZON,
    S_LAST,
    S_STRIDE,
    S_TILE,
)
from domain.features.kernel.row_layout import HAS_PLACE, ORDER, PRESENT, TIME, X, Y, Z
from domain.features.kernel.stores.slots import open_slot
from domain.features.kernel.stores.tiles import window_of

LEAST_HOURS = 1.0 / 60.0


@compiled
def put_place(
    stores: Ints,
    mem: Ints,
    heads: Ints,
    s: int,
    tile: int,
    time: int,
    order: int,
    x: int,
    y: int,
    z: int,
    latest: int,
) -> None:
    store = stores[s]
    if tile < (latest - store[S_HORIZON]) // store[S_TILE]:
        return
    base, stride = store[S_BASE], store[S_STRIDE]
    start, at = heads[s, 0], heads[s, 1]
    while at > start and mem[base + at - 1] > tile:
        at -= 1
    if at > start and mem[base + at - 1] == tile:
        at -= 1
        then, beside = mem[base + stride + at], mem[base + 2 * stride + at]
        if time < then or (time == then and order <= beside):
            return
    else:
        at = open_slot(stores, mem, heads, s, at)
    mem[base + at] = tile
    mem[base + stride + at] = time
    mem[base + 2 * stride + at] = order
    mem[base + 3 * stride + at] = x
    mem[base + 4 * stride + at] = y
    mem[base + 5 * stride + at] = z


@compiled
def fold_places(stores: Ints, mem: Ints, heads: Ints, s: int, row: Ints, latest: int) -> None:
    if row[PRESENT] & HAS_PLACE:
        tile = row[TIME] // stores[s, S_TILE]
        put_place(
            stores, mem, heads, s, tile, row[TIME], row[ORDER], row[X], row[Y], row[Z], latest
        )


@compiled
def finish_places(
    stores: Ints,
    features: Ints,
    mem: Ints,
    heads: Ints,
    s: int,
    row: Ints,
    latest: int,
    out: Floats,
) -> None:
    """km, or km/h with the time between taken as one minute at least."""
    store, time = stores[s], row[TIME]
    base, stride = store[S_BASE], store[S_STRIDE]
    start, end = window_of(
        features[store[S_FIRST]], mem, base, heads[s, 0], heads[s, 1], time, latest
    )
    if start == end or not row[PRESENT] & HAS_PLACE:
        return
    at = end - 1
    x = row[X] - mem[base + 3 * stride + at]
    y = row[Y] - mem[base + 4 * stride + at]
    z = row[Z] - mem[base + 5 * stride + at]
    distance = sqrt(float(x * x + y * y + z * z)) * KM_PER_UNIT
    hours = float(max(time - mem[base + stride + at], 0)) / FLOAT_HOUR_US
    for f in range(store[S_FIRST], store[S_LAST]):
        if features[f, F_AGGREGATION] == A_DISTANCE:
            out[features[f, F_OUT]] = distance
        else:
            out[features[f, F_OUT]] = distance / max(hours, LEAST_HOURS)


@compiled
def merge_places(
    stores: Ints, mem: Ints, heads: Ints, s: int, other_mem: Ints, other_heads: Ints, latest: int
) -> None:
    base, stride = stores[s, S_BASE], stores[s, S_STRIDE]
    for j in range(other_heads[s, 0], other_heads[s, 1]):
        put_place(
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
