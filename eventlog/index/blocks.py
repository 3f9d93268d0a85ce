"""Blocks of an index file: entries, with how far the log was read when they were written.

A block has entries and position in one, and a checksum that goes on from the block before it. So
what is left of a file after a loss of power ends at a position of which it has all entries.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from zlib import crc32

import numpy as np

from eventlog.index.entries import Sorted

_MAGIC = b"RID1"
# Magic, nothing, entries, next offset, last offset, mark of its record; all a multiple of 8 bytes.
_HEADER = struct.Struct("<4s4xQqqQ")
_CHECK = struct.Struct("<Q")
_WIDTH = 16


@dataclass(frozen=True, slots=True)
class Reached:
    """How far the log was read: `next` is the offset to read on from, `last` that of the record
    before it (-1: none was read), and `mark` a checksum of that record."""

    next: int = 0
    last: int = -1
    mark: int = 0


@dataclass(frozen=True, slots=True)
class Block:
    """`end` is where it ends in its file, `check` the checksum up to there."""

    entries: Sorted
    reached: Reached
    end: int
    check: int


def mark_of(value: bytes) -> int:
    return int.from_bytes(blake2b(value, digest_size=8).digest(), "little")


def encoded(entries: Sorted, reached: Reached, check: int = 0) -> bytes:
    """A block behind one whose checksum is `check`; in order."""
    header = _HEADER.pack(_MAGIC, len(entries[0]), reached.next, reached.last, reached.mark)
    body = header + entries[0].astype("<i8").tobytes() + entries[1].astype("<i8").tobytes()
    return body + _CHECK.pack(crc32(body, check))


def blocks(held: memoryview, check: int = 0) -> Iterator[Block]:
    """Up to the first that is not whole; `check` is the checksum of what lies before `held`, whose
    arrays are not copied."""
    at = 0
    while len(held) - at >= _HEADER.size + _CHECK.size:
        magic, count, *reached = _HEADER.unpack_from(held, at)
        body = _HEADER.size + count * _WIDTH
        if magic != _MAGIC or at + body + _CHECK.size > len(held):
            return
        check = crc32(held[at : at + body], check)
        if _CHECK.unpack_from(held, at + body)[0] != check:
            return
        names, entries = (
            np.frombuffer(held, "<i8", count, at + _HEADER.size + part * count * 8)
            for part in (0, 1)
        )
        at += body + _CHECK.size
        yield Block((names, entries), Reached(*reached), at, check)
