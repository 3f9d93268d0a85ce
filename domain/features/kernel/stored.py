"""Bytes of one state, written and read; the state in memory is in state.py."""

from domain.features.kernel.arrays import Bytes, Ints
from domain.features.kernel.compiled import compiled
from domain.features.kernel.encoding import (
    get_column,
    get_rising,
    get_signed,
    get_varint,
    put_column,
    put_rising,
    put_signed,
    put_varint,
)
from domain.features.kernel.layout import (
    C_FIRST,
    C_LATEST,
    FOR_EVER,
    H_LABELS,
    H_LATEST,
    H_LATEST_LABEL,
    H_TRANSACTIONS,
    LABELS,
    PLACES,
    S_BASE,
    S_COLUMNS,
    S_KIND,
    S_STRIDE,
    S_TILE,
    TILES,
)
from domain.features.kernel.row_layout import PARTITIONS
from domain.features.kernel.state import reset
from domain.features.kernel.stores.labels import replaced_next

AXIS = 1 << 24  # coordinates are from -2^24 to 2^24: see domain.features.coordinates


@compiled
def encode(
    stores: Ints, mem: Ints, heads: Ints, head: Ints, version: Ints, digest: int, data: Bytes
) -> int:
    """Writes the state to `data`; returns its length. Equal for equal sets of events."""
    for byte in range(4):
        data[byte] = (digest >> (8 * byte)) & 255
    held = 0
    for p in range(PARTITIONS):
        held += version[p] >= 0
    at, before = put_varint(data, 4, held), 0
    for p in range(PARTITIONS):
        if version[p] >= 0:
            at = put_varint(data, at, p - before)
            at = put_varint(data, at, version[p])
            before = p
    at = put_varint(data, at, head[H_TRANSACTIONS])
    at = put_varint(data, at, head[H_LABELS])
    at = put_signed(data, at, head[H_LATEST]) if head[H_TRANSACTIONS] else at
    at = put_signed(data, at, head[H_LATEST_LABEL]) if head[H_LABELS] else at
    for s in range(len(stores)):
        if head[H_LABELS] if stores[s, S_KIND] == LABELS else head[H_TRANSACTIONS]:
            at = _put_store(stores, mem, heads, s, data, at)
    return at


@compiled
def _put_store(stores: Ints, mem: Ints, heads: Ints, s: int, data: Bytes, at: int) -> int:
    start, count = heads[s, 0], heads[s, 1] - heads[s, 0]
    base, stride, kind = stores[s, S_BASE] + start, stores[s, S_STRIDE], stores[s, S_KIND]
    at = put_varint(data, at, count)
    at = put_rising(data, at, mem, base, count)
    columns, listed = stores[s, S_COLUMNS], 0
    if kind == LABELS:
        columns -= 1
        replaced, listed = _replaced(stores, mem, heads, s)
        at = put_varint(data, at, replaced + listed * count)
    for c in range(1, columns):
        first = base + c * stride
        if _is_time(stores, s, c):
            _shift(mem, first, base, count, -stores[s, S_TILE])
            at = put_column(data, at, mem, first, count, 0)
            _shift(mem, first, base, count, stores[s, S_TILE])
        else:
            at = put_column(data, at, mem, first, count, _less(kind, c))
    if listed:
        before = 0
        for i in range(count):
            if mem[base + 5 * stride + i] != FOR_EVER:
                at = put_varint(data, at, i - before)
                at = put_varint(data, at, mem[base + 5 * stride + i] - mem[base + i])
                before = i
    return at


@compiled
def _replaced(stores: Ints, mem: Ints, heads: Ints, s: int) -> tuple[int, int]:
    """(labels that are replaced, 1 where the order of known times does not tell when)."""
    beside = stores[s, S_BASE] + 5 * stores[s, S_STRIDE]
    replaced, listed = 0, 0
    for i in range(heads[s, 0], heads[s, 1]):
        if mem[beside + i] != FOR_EVER:
            replaced += 1
            if not listed and mem[beside + i] != replaced_next(stores, mem, heads, s, i):
                listed = 1
    return replaced, listed


@compiled
def _is_time(stores: Ints, s: int, c: int) -> bool:
    """True for the columns of times within the tile, which are written from its start."""
    kind = stores[s, S_KIND]
    if kind == TILES:
        return bool(c == stores[s, C_FIRST] or c == stores[s, C_LATEST])
    return bool(kind == PLACES and c == 1)


@compiled
def _shift(mem: Ints, first: int, tiles: int, count: int, width: int) -> None:
    for i in range(count):
        mem[first + i] += mem[tiles + i] * width


@compiled
def _less(kind: int, c: int) -> int:
    return -AXIS if kind == PLACES and c >= 3 else 0


@compiled
def decode(
    stores: Ints,
    mem: Ints,
    heads: Ints,
    head: Ints,
    version: Ints,
    digest: int,
    data: Bytes,
    at: int,
    end: int,
) -> int:
    """0, or 1 for the bytes of other stores, 2 for damaged ones; the state is reset before."""
    reset(heads, head, version)
    if at == end:
        return 0
    if end - at < 4:
        return 2
    for byte in range(4):
        if data[at + byte] != (digest >> (8 * byte)) & 255:
            return 1
    held, at = get_varint(data, at + 4, end)
    partition = 0
    for _ in range(min(held, PARTITIONS) if held >= 0 else 0):
        step, at = get_varint(data, at, end)
        partition += step
        offset, at = get_varint(data, at, end)
        if at < 0 or not 0 <= partition < PARTITIONS:
            return 2
        version[partition] = offset
    head[H_TRANSACTIONS], at = get_varint(data, at, end)
    head[H_LABELS], at = get_varint(data, at, end)
    if at >= 0 and head[H_TRANSACTIONS]:
        head[H_LATEST], at = get_signed(data, at, end)
    if at >= 0 and head[H_LABELS]:
        head[H_LATEST_LABEL], at = get_signed(data, at, end)
    for s in range(len(stores)):
        if head[H_LABELS] if stores[s, S_KIND] == LABELS else head[H_TRANSACTIONS]:
            at = _get_store(stores, mem, heads, s, data, at, end)
        if at < 0:
            return 2
    return 0 if at == end else 2


@compiled
def _get_store(stores: Ints, mem: Ints, heads: Ints, s: int, data: Bytes, at: int, end: int) -> int:
    count, at = get_varint(data, at, end)
    if at < 0 or not 0 <= count <= stores[s, S_STRIDE]:
        return -1
    base, stride, kind = stores[s, S_BASE], stores[s, S_STRIDE], stores[s, S_KIND]
    heads[s, 1] = count
    at = get_rising(data, at, end, mem, base, count)
    columns, replaced = stores[s, S_COLUMNS], 0
    if kind == LABELS:
        columns -= 1
        replaced, at = get_varint(data, at, end)
        if not 0 <= replaced <= 2 * count:
            return -1
    for c in range(1, columns):
        at = get_column(data, at, end, mem, base + c * stride, count, _less(kind, c))
        if at >= 0 and _is_time(stores, s, c):
            _shift(mem, base + c * stride, base, count, stores[s, S_TILE])
    if kind == LABELS and at >= 0:
        for i in range(count):
            mem[base + 5 * stride + i] = FOR_EVER
        if replaced > count:
            at = _get_replaced(mem, base, base + 5 * stride, count, replaced - count, data, at, end)
        elif replaced:
            for i in range(count):
                mem[base + 5 * stride + i] = replaced_next(stores, mem, heads, s, i)
    return at


@compiled
def _get_replaced(
    mem: Ints, known: int, replaced: int, count: int, listed: int, data: Bytes, at: int, end: int
) -> int:
    i = 0
    for _ in range(listed):
        step, at = get_varint(data, at, end)
        i += step
        later, at = get_varint(data, at, end)
        if at < 0 or not 0 <= i < count:
            return -1
        mem[replaced + i] = mem[known + i] + later
    return at
