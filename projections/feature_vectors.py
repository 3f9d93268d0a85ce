"""Owns the port of the offline vectors, one row per transaction; knows no database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class VectorRow:
    """The ideal vector of a transaction: `time` and `known_time` are microseconds UTC."""

    transaction_id: str
    time: int
    known_time: int
    values: list[float | None]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a partition has come with these rows. Each of its records adds to one count."""

    next: int
    projected: int = 0
    void: int = 0
    dead: int = 0


class VectorStore(Protocol):
    """Rows of one set of features, and per source partition the next offset. Blocking."""

    def take_over(self) -> dict[int, int]:
        """Fences every former owner; returns the next offset per partition.

        Rows of another set of features do not count: all begin at 0. Raises UnavailableError.
        """
        ...

    def write(self, rows: Sequence[VectorRow], progress: Mapping[int, Progress]) -> None:
        """Rows and positions in one transaction; a row of the same id is replaced.

        Raises FencedError, or UnavailableError (all or nothing is written: do it again).
        """
        ...
