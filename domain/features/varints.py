"""Varints outside compiled code."""

from itertools import islice

from domain.errors import IntegrityError


class Writer:
    __slots__ = ("_data",)

    def __init__(self) -> None:
        self._data = bytearray()

    def to_bytes(self) -> bytes:
        return bytes(self._data)

    def varint(self, value: int) -> None:
        """`value` >= 0."""
        data = self._data
        while value > 127:
            data.append(value & 127 | 128)
            value >>= 7
        data.append(value)


class Reader:
    """Reads what `Writer` wrote, in the same order. Raises IntegrityError past the end."""

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes, start: int = 0) -> None:
        self._data = data
        self._at = start

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
        raise IntegrityError(f"{len(self._data)} bytes end before byte {at + 1}: cut short?")

    @property
    def more(self) -> bool:
        return self._at < len(self._data)
