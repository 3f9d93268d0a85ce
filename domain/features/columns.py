"""Owns the bytes of integer columns, deterministic and compact; knows nothing of features.

A column is one byte of width and its values, little-endian, all of the least width that holds the
greatest of them (0, 1, 2, 4, 8, or any more for wide sums).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, islice
from operator import sub
from struct import pack, unpack_from

from domain.errors import IntegrityError

_FORMAT = {1: "B", 2: "H", 4: "I", 8: "Q"}


class Writer:
    __slots__ = ("_data",)

    def __init__(self) -> None:
        self._data = bytearray()

    def to_bytes(self) -> bytes:
        return bytes(self._data)

    def raw(self, data: bytes) -> None:
        self._data += data

    def varint(self, value: int) -> None:
        """`value` >= 0."""
        data = self._data
        while value > 127:
            data.append(value & 127 | 128)
            value >>= 7
        data.append(value)

    def signed(self, value: int) -> None:
        self.varint(value << 1 if value >= 0 else (-value << 1) - 1)

    def column(self, values: Sequence[int]) -> None:
        """Values >= 0. The reader must know how many there are; an empty column is no bytes."""
        if not values:
            return
        size = (max(values).bit_length() + 7) // 8
        width = size if size < 3 or size > 8 else 4 if size < 5 else 8
        self._data.append(width)
        if width in _FORMAT:
            self._data += pack(f"<{len(values)}{_FORMAT[width]}", *values)
        elif width:
            self._data += b"".join([value.to_bytes(width, "little") for value in values])

    def rising(self, values: Sequence[int]) -> None:
        """Values that never fall: the first, then the steps. The reader must know how many."""
        if not values:
            return
        self.signed(values[0])
        self.column(list(map(sub, values[1:], values)))


class Reader:
    """Reads what `Writer` wrote, in the same order. Raises IntegrityError past the end."""

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def raw(self, size: int) -> bytes:
        end = self._at + size
        if end > len(self._data):
            raise self._short(end)
        taken = self._data[self._at : end]
        self._at = end
        return taken

    def varint(self) -> int:
        data, at = self._data, self._at
        value = shift = 0
        for byte in islice(data, at, None):
            at += 1
            value |= (byte & 127) << shift
            if byte < 128:
                self._at = at
                return value
            shift += 7
        raise self._short(at + 1)

    def signed(self) -> int:
        value = self.varint()
        return -(value >> 1) - 1 if value & 1 else value >> 1

    def column(self, count: int) -> list[int]:
        if not count:
            return []
        start = self._at + 1
        if start > len(self._data):
            raise self._short(start)
        width = self._data[start - 1]
        end = start + width * count
        if end > len(self._data):
            raise self._short(end)
        self._at = end
        if not width:
            return [0] * count
        if width in _FORMAT:
            return list(unpack_from(f"<{count}{_FORMAT[width]}", self._data, start))
        data = self._data[start:end]
        return [
            int.from_bytes(data[at : at + width], "little") for at in range(0, len(data), width)
        ]

    def rising(self, count: int) -> list[int]:
        if not count:
            return []
        first = self.signed()
        return list(accumulate(self.column(count - 1), initial=first))

    def _short(self, end: int) -> IntegrityError:
        return IntegrityError(f"{len(self._data)} bytes end before byte {end}: cut short?")

    def finish(self) -> None:
        if self._at != len(self._data):
            raise IntegrityError(f"{len(self._data) - self._at} bytes are left over")
