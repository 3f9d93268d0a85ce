"""Lag of the projections: how many records of the log each of them has still to project."""

from collections.abc import Callable, Mapping, Sequence

Positions = Mapping[str, Mapping[int, int]]
"""Per projection of TRANSACTIONS and partition the offset of the next record to project.

`features` counts what can be read online.
"""

PositionReaders = Mapping[str, Callable[[], Mapping[int, int]]]
"""Per projection what reads its positions from the store that keeps them.

Blocking. Raises UnavailableError.
"""


def read_positions(readers: PositionReaders) -> Positions:
    """Raises UnavailableError."""
    return {name: read() for name, read in readers.items()}


def lags(positions: Positions, ends: Sequence[int]) -> dict[str, int]:
    """Per projection the number of records below `ends` that it has not projected yet."""
    return {
        name: sum(max(0, end - reached.get(p, 0)) for p, end in enumerate(ends))
        for name, reached in positions.items()
    }
