"""Memory of one store: parallel columns, sorted by the first.

Store `s` holds the items heads[s, 0] to heads[s, 1]; item i of column c lies at
mem[base + c * stride + i]. Old items leave at the front, so that trimming moves nothing.
"""

from domain.features.kernel.arrays import Ints
from domain.features.kernel.compiled import compiled
from domain.features.kernel.layout import S_BASE, S_COLUMNS, S_STRIDE


@compiled
def clear(heads: Ints, s: int) -> None:
    heads[s, 0] = 0
    heads[s, 1] = 0


@compiled
def open_slot(stores: Ints, mem: Ints, heads: Ints, s: int, at: int) -> int:
    """Makes room for one item before item `at`; returns its place. The caller fills all columns."""
    start, end = heads[s, 0], heads[s, 1]
    base, stride, columns = stores[s, S_BASE], stores[s, S_STRIDE], stores[s, S_COLUMNS]
    if end == stride:
        for c in range(columns):
            first = base + c * stride
            for i in range(start, end):
                mem[first + i - start] = mem[first + i]
        at -= start
        end -= start
        start = 0
        heads[s, 0] = 0
    for c in range(columns):
        first = base + c * stride
        for i in range(end, at, -1):
            mem[first + i] = mem[first + i - 1]
    heads[s, 1] = end + 1
    return at


@compiled
def close_slot(stores: Ints, mem: Ints, heads: Ints, s: int, at: int) -> None:
    """Takes item `at` out."""
    base, stride = stores[s, S_BASE], stores[s, S_STRIDE]
    end = heads[s, 1]
    for c in range(stores[s, S_COLUMNS]):
        first = base + c * stride
        for i in range(at, end - 1):
            mem[first + i] = mem[first + i + 1]
    heads[s, 1] = end - 1


@compiled
def trim(stores: Ints, mem: Ints, heads: Ints, s: int, least: int) -> None:
    """Drops the items whose first column is below `least`."""
    base, end = stores[s, S_BASE], heads[s, 1]
    start = heads[s, 0]
    while start < end and mem[base + start] < least:
        start += 1
    heads[s, 0] = start


@compiled
def lower(mem: Ints, first: int, start: int, end: int, value: int) -> int:
    """The first place of [start, end) whose value is at least `value`."""
    while start < end:
        middle = (start + end) >> 1
        if mem[first + middle] < value:
            start = middle + 1
        else:
            end = middle
    return start


@compiled
def place_of(
    stores: Ints, mem: Ints, heads: Ints, s: int, first: int, second: int
) -> tuple[int, int]:
    """(the place of the pair among the first two columns, 1 if it is there already)."""
    base = stores[s, S_BASE]
    beside = base + stores[s, S_STRIDE]
    start, at = heads[s, 0], heads[s, 1]
    while at > start:
        one, two = mem[base + at - 1], mem[beside + at - 1]
        if one < first or (one == first and two <= second):
            return (at - 1, 1) if one == first and two == second else (at, 0)
        at -= 1
    return at, 0
