"""Owns the names of the archive's files and which of them make up the history; opens none.

A file holds what the log has in [first, next) of one partition. Two writers, or a crash, may leave
files that overlap: they agree on every offset, and readers take each offset from one of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from domain.errors import IntegrityError
from eventlog.topics import Topic

_NAME = re.compile(
    r"(?P<topic>[^/]+)/partition=(?P<partition>\d+)/(?P<first>\d{20})-(?P<next>\d{20})\.parquet"
)


@dataclass(frozen=True, slots=True, order=True)
class Piece:
    """One file. `size` in bytes, 0 where it is not known."""

    partition: int
    first: int
    next: int
    size: int = 0

    def name(self, topic: Topic) -> str:
        """The path below the archive's root."""
        return f"{topic.name}/partition={self.partition}/{self.first:020d}-{self.next:020d}.parquet"


def piece_of(path: str, size: int, root: str) -> Piece:
    """`path` lies below the archive's `root`. Raises IntegrityError for a file of another kind."""
    found = _NAME.fullmatch(path)
    if found is None or not int(found["first"]) < int(found["next"]):
        raise IntegrityError(
            f"{root}/{path} is no file of the archive: move it out of there (names are "
            "TOPIC/partition=N/FIRST-NEXT.parquet)"
        )
    return Piece(int(found["partition"]), int(found["first"]), int(found["next"]), size)


def end_of(pieces: Iterable[Piece]) -> int:
    """The offset after the last that all files of one partition cover without a gap."""
    end = 0
    for piece in sorted(pieces):
        if piece.first > end:
            break
        end = max(end, piece.next)
    return end


def covering(pieces: Iterable[Piece], start: int) -> Iterator[tuple[Piece, int]]:
    """(file, offset from which to take it): every offset from `start` to the end, each once."""
    left = sorted((p for p in pieces if p.next > start), reverse=True)
    while left:
        best: Piece | None = None
        while left and left[-1].first <= start:
            piece = left.pop()
            if piece.next > start and (best is None or piece.next > best.next):
                best = piece
        if best is None:
            return
        yield best, start
        start = best.next


def check_whole(pieces: Iterable[Piece], topic: Topic, root: str) -> None:
    """Raises IntegrityError where files of one partition leave a hole between them."""
    pieces = sorted(pieces)
    end = end_of(pieces)
    beyond = next((each for each in pieces if each.first > end), None)
    if beyond is None:
        return
    before = [each.name(topic) for each in pieces if each.next == end]
    raise IntegrityError(
        f"the archive {root} has no file for offsets {end} to {beyond.first - 1} of {topic.name}/"
        f"{beyond.partition}, between {before[0] if before else 'the beginning'} and "
        f"{beyond.name(topic)}: restore it, or let `./retrace up` run the archive worker, which "
        "writes again what the log still holds"
    )
