"""Bytes of integers and columns, deterministic and compact.

Writers return the position after what they wrote. Readers return -1 for the position where the
bytes end too early. A column is one byte of width (0, 1, 2, 4, 8) and its values, little-endian.
"""

from domain.features.kernel.arrays import Bytes, Ints
from domain.features.kernel.compiled import compiled

_LAST_57 = (1 << 57) - 1


@compiled
def put_varint(data: Bytes, at: int, value: int) -> int:
    """Any int64, as the 64 bits that it is."""
    while value & ~127:
        data[at] = value & 127 | 128
        at += 1
        value = (value >> 7) & _LAST_57
    data[at] = value
    return at + 1


@compiled
def get_varint(data: Bytes, at: int, end: int) -> tuple[int, int]:
    value, shift = 0, 0
    while True:
        if at < 0 or at >= end or shift > 63:
            return 0, -1
        byte = int(data[at])
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7


@compiled
def put_signed(data: Bytes, at: int, value: int) -> int:
    return put_varint(data, at, (value << 1) ^ (value >> 63))


@compiled
def get_signed(data: Bytes, at: int, end: int) -> tuple[int, int]:
    value, at = get_varint(data, at, end)
    return ((value >> 1) & 0x7FFFFFFFFFFFFFFF) ^ -(value & 1), at


@compiled
def _width(least: int, greatest: int) -> int:
    if least < 0 or greatest >= 1 << 32:
        return 8
    if greatest >= 1 << 16:
        return 4
    if greatest >= 1 << 8:
        return 2
    return 1 if greatest > 0 else 0


@compiled
def put_column(data: Bytes, at: int, mem: Ints, first: int, count: int, less: int) -> int:
    """`count` values of `mem` from `first`, each less `less`; an empty column is no bytes."""
    if count == 0:
        return at
    least, greatest = mem[first] - less, mem[first] - less
    for i in range(first + 1, first + count):
        value = mem[i] - less
        least, greatest = min(least, value), max(greatest, value)
    width = _width(least, greatest)
    data[at] = width
    at += 1
    for i in range(first, first + count):
        value = mem[i] - less
        for byte in range(width):
            data[at + byte] = (value >> (8 * byte)) & 255
        at += width
    return at


@compiled
def get_column(data: Bytes, at: int, end: int, mem: Ints, first: int, count: int, less: int) -> int:
    if count == 0 or at < 0:
        return at
    if at >= end:
        return -1
    width = int(data[at])
    at += 1
    if width not in (0, 1, 2, 4, 8) or at + width * count > end:
        return -1
    for i in range(first, first + count):
        value = 0
        for byte in range(width):
            value |= int(data[at + byte]) << (8 * byte)
        mem[i] = value + less
        at += width
    return at


@compiled
def put_rising(data: Bytes, at: int, mem: Ints, first: int, count: int) -> int:
    """Values that never fall: the first, then the steps."""
    if count == 0:
        return at
    at = put_signed(data, at, mem[first])
    greatest = 0
    for i in range(first + 1, first + count):
        greatest = max(greatest, mem[i] - mem[i - 1])
    width = _width(0, greatest)
    data[at] = width
    at += 1
    for i in range(first + 1, first + count):
        value = mem[i] - mem[i - 1]
        for byte in range(width):
            data[at + byte] = (value >> (8 * byte)) & 255
        at += width
    return at


@compiled
def get_rising(data: Bytes, at: int, end: int, mem: Ints, first: int, count: int) -> int:
    if count == 0 or at < 0:
        return at
    value, at = get_signed(data, at, end)
    mem[first] = value
    at = get_column(data, at, end, mem, first + 1, count - 1, 0) if count > 1 else _skip(at, end)
    for i in range(first + 1, first + count):
        mem[i] += mem[i - 1]
    return at


@compiled
def _skip(at: int, end: int) -> int:
    """Over the width of a column without values, which `put_rising` writes all the same."""
    return -1 if at < 0 or at >= end else at + 1
