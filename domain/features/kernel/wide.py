"""Exact integers of 128 bits and their float64."""

import numpy as np

from domain.features.kernel.compiled import compiled

Wide = np.uint64

_LOW = np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)
_64 = np.uint64(64)
_0 = np.uint64(0)
_1 = np.uint64(1)


@compiled
def times(a: Wide, b: Wide) -> tuple[Wide, Wide]:
    """(high, low) of the product of two uint64."""
    a0, a1 = a & _LOW, a >> _32
    b0, b1 = b & _LOW, b >> _32
    low, left, right = a0 * b0, a1 * b0, a0 * b1
    middle = (low >> _32) + (left & _LOW) + (right & _LOW)
    high = a1 * b1 + (left >> _32) + (right >> _32) + (middle >> _32)
    return high, (middle << _32) | (low & _LOW)


@compiled
def plus(high: Wide, low: Wide, more_high: Wide, more_low: Wide) -> tuple[Wide, Wide]:
    total = low + more_low
    carry = _1 if total < low else _0
    return high + more_high + carry, total


@compiled
def minus(high: Wide, low: Wide, less_high: Wide, less_low: Wide) -> tuple[Wide, Wide]:
    borrow = _1 if low < less_low else _0
    return high - less_high - borrow, low - less_low


@compiled
def as_float(high: Wide, low: Wide) -> float:
    """To the nearest, ties to even, as Python's float(int)."""
    if high == _0:
        return float(low)
    bits = _0
    rest = high
    while rest != _0:
        rest >>= _1
        bits += _1
    if bits == _64:
        top, lost = high, low
    else:
        top = (high << (_64 - bits)) | (low >> bits)
        lost = low & ((_1 << bits) - _1)
    # 64 bits are rounded to 53: what was cut off below them matters as "some" alone.
    if lost != _0:
        top |= _1
    scale = 1.0
    for _ in range(int(bits)):
        scale *= 2.0
    return float(top) * scale


@compiled
def spread(number: int, total: int, high: Wide, low: Wide) -> tuple[Wide, Wide]:
    """number * (high * 2^64 + low) - total^2, exactly, of a sum of squares: never below zero.

    Holds while number times the greatest amount is below 2^63, as it is where `total` is an int64.
    """
    n, s = np.uint64(number), np.uint64(total)
    first_high, first_low = times(n, low)
    second_high, second_low = times(s, s)
    return minus(first_high + n * high, first_low, second_high, second_low)


@compiled
def difference(number: int, amount: int, total: int) -> float:
    """float64 of number * amount - total."""
    high, low = times(np.uint64(number), np.uint64(amount))
    less = np.uint64(total)
    if high == _0 and low < less:
        return -float(less - low)
    upper, lower = minus(high, low, _0, less)
    return as_float(upper, lower)
