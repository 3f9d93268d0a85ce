"""Comparison of two tables of values, bit for bit, and its first differences.

Unknown values are NaN, and equal to each other; 0.0 and -0.0 are different.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from domain.features.kernel.arrays import Floats

SHOWN = 20


@dataclass(frozen=True, slots=True)
class Difference:
    """`position` is `partition/offset` in the log, `subject` a transaction id or an entity's key.

    `left` and `right` are the two values, as text that keeps every bit.
    """

    feature: str
    entity: str
    subject: str
    position: str
    left: str
    right: str


@dataclass(slots=True)
class Compared:
    """One comparison: how many values, how many differed, and the first of those.

    `missing` counts subjects that one side lacks; each is a difference.
    """

    name: str
    left: str
    right: str
    values: int = 0
    different: int = 0
    missing: int = 0
    shown: list[Difference] = field(default_factory=list)

    def add(self, difference: Difference) -> None:
        self.different += 1
        if len(self.shown) < SHOWN:
            self.shown.append(difference)


def compare(
    into: Compared,
    names: Sequence[str],
    entities: Sequence[str],
    subjects: Sequence[str],
    position: Callable[[int], str],
    left: Floats,
    right: Floats,
) -> None:
    """Adds a comparison of two tables [subjects, names]; `position` gives that of a row."""
    into.values += left.size
    for row, column in zip(*np.nonzero(differing(left, right)), strict=True):
        if len(into.shown) >= SHOWN:
            into.different += 1
            continue
        into.add(
            Difference(
                names[column],
                entities[column],
                subjects[row],
                position(row),
                exact(left[row, column]),
                exact(right[row, column]),
            )
        )


def differing(left: Floats, right: Floats) -> np.ndarray:
    """True where the bits differ and not both are unknown."""
    bits = np.ascontiguousarray(left).view(np.int64) != np.ascontiguousarray(right).view(np.int64)
    both = np.isnan(left) & np.isnan(right)
    return bits & ~both  # type: ignore[no-any-return, unused-ignore]


def exact(value: float) -> str:
    """The shortest text that gives the same float64 again."""
    return "unknown" if value != value else repr(float(value))
