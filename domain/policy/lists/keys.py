"""Keys: texts with their ends in time, 24 bytes each, looked up in microseconds.

A record is the 16-byte BLAKE2b of the text and when it ends, in microseconds, 0 where it was
removed. Records lie sorted in bytes, those of changes apart until they are an eighth of all: one
more entry of a million copies thousands.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from heapq import merge

FOREVER = 2**63 - 1
_DIGEST, _RECORD = 16, 24
_FEW = 4096 * _RECORD


def sorted_run(entries: Iterable[tuple[str, int]]) -> bytes:
    """Records of (text, end); of equal texts the last."""
    ends = {_digest(text): end for text, end in entries}
    return b"".join(sorted(digest + end.to_bytes(8) for digest, end in ends.items()))


def without_ends(run: bytes) -> bytes:
    """Records that remove what `run` has."""
    return b"".join(each[:_DIGEST] + bytes(_RECORD - _DIGEST) for each in _records(run))


@dataclass(frozen=True, slots=True)
class Keys:
    """Immutable. `base` and `changes` are sorted runs; a record of `changes` counts first."""

    base: bytes = b""
    changes: bytes = b""

    def end(self, text: str) -> int:
        """When the entry ends; 0 where there is none."""
        digest = _digest(text)
        found = _end(self.changes, digest)
        return (_end(self.base, digest) if found is None else found) or 0

    def changed(self, runs: list[bytes]) -> Keys:
        """With sorted runs that have no text in common."""
        # Merged in small steps, which other threads can come between: a sort could not be parted.
        newer = b"".join(merge(*map(_records, runs)))
        changes = b"".join(_newest(newer, self.changes))
        if len(changes) <= max(_FEW, len(self.base) // 8):
            return Keys(self.base, changes)
        whole = _newest(changes, self.base)
        return Keys(b"".join(each for each in whole if any(each[_DIGEST:])))


NO_KEYS = Keys()


def _digest(text: str) -> bytes:
    return blake2b(text.encode(), digest_size=_DIGEST).digest()


def _end(run: bytes, digest: bytes) -> int | None:
    place = _RECORD * bisect_left(
        range(len(run) // _RECORD), digest, key=lambda n: run[_RECORD * n : _RECORD * n + _DIGEST]
    )
    if run[place : place + _DIGEST] != digest:
        return None
    return int.from_bytes(run[place + _DIGEST : place + _RECORD])


def _records(run: bytes) -> Iterator[bytes]:
    return (run[place : place + _RECORD] for place in range(0, len(run), _RECORD))


def _newest(newer: bytes, older: bytes) -> Iterator[bytes]:
    last = b""
    for record in merge(_records(newer), _records(older), key=lambda each: each[:_DIGEST]):
        if record[:_DIGEST] != last:
            last = record[:_DIGEST]
            yield record
