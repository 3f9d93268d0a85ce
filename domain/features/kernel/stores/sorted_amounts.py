"""Sorted amounts of a window, made of those of the window before where most of both is the same.

Between two payments a window loses an amount or two at its front and gains some behind. What is
taken over is compared item by item: the outcome is that of sorting, whatever was asked before.
"""

from domain.features.kernel.arrays import Ints
from domain.features.kernel.compiled import compiled
from domain.features.kernel.layout import S_CACHE, S_STRIDE
from domain.features.kernel.stores.slots import lower

MOST_MOVED = 8


@compiled
def sorted_amounts(stores: Ints, s: int, mem: Ints, first: int, held: int, spare: Ints) -> Ints:
    """mem[first:first + held] in rising order; a view that the next call changes.

    From S_CACHE on `spare` has the number of amounts asked for last, these in their own order, and
    these sorted.
    """
    cache, stride = stores[s, S_CACHE], stores[s, S_STRIDE]
    given, made = cache + 1, cache + 1 + stride
    before = spare[cache]
    gone = _gone(mem, first, held, spare, given, before)
    if gone < 0:
        for i in range(held):
            spare[made + i] = mem[first + i]
        spare[made : made + held].sort()
    else:
        for i in range(gone):
            _take_out(spare, made, before - i, spare[given + i])
        for i in range(before - gone, held):
            _put_in(spare, made, i, mem[first + i])
    for i in range(held):
        spare[given + i] = mem[first + i]
    spare[cache] = held
    return spare[made : made + held]


@compiled
def _gone(mem: Ints, first: int, held: int, spare: Ints, given: int, before: int) -> int:
    """How many amounts left at the front so that the rest begins the window, -1 for too many."""
    for gone in range(min(before, MOST_MOVED) + 1):
        stay = before - gone
        if held - stay > MOST_MOVED:
            return -1
        same = stay <= held
        i = 0
        while same and i < stay:
            same = spare[given + gone + i] == mem[first + i]
            i += 1
        if same:
            return gone
    return -1


@compiled
def _take_out(spare: Ints, made: int, count: int, value: int) -> None:
    at = lower(spare, made, 0, count, value)
    for i in range(made + at, made + count - 1):
        spare[i] = spare[i + 1]


@compiled
def _put_in(spare: Ints, made: int, count: int, value: int) -> None:
    at = lower(spare, made, 0, count, value)
    for i in range(made + count, made + at, -1):
        spare[i] = spare[i - 1]
    spare[made + at] = value
