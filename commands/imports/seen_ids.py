"""Ids that a file has used already, in eight bytes each."""

from array import array
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

_LEAST = 1 << 16
_MANY = 64

Marks = npt.NDArray[np.int64]


class SeenIds:
    """Two ids of n are taken for one with odds of n^2/2^65: one in ten million at 2 million."""

    def __init__(self) -> None:
        self._slots = array("q", bytes(8 * _LEAST))
        self._mask = _LEAST - 1
        self._count = 0

    def add(self, key: str) -> bool:
        """False where the id was added before."""
        mark = hash(key) or 1
        slots, mask = self._slots, self._mask
        at = mark & mask
        while found := slots[at]:
            if found == mark:
                return False
            at = (at + 1) & mask
        slots[at] = mark
        self._count += 1
        if self._count * 5 > len(slots) * 3:
            self._grow()
        return True

    def add_all(self, keys: Sequence[str]) -> list[bool]:
        """As `add` of one after the other, several times as fast where they are many."""
        if len(keys) < _MANY:
            return list(map(self.add, keys))
        while (self._count + len(keys)) * 5 > len(self._slots) * 3:
            self._grow()
        marks = np.fromiter(map(hash, keys), np.int64, len(keys))
        marks[marks == 0] = 1
        new = np.zeros(len(keys), np.bool_)
        _, first = np.unique(marks, return_index=True)
        new[self._put(marks, first)] = True
        self._count += int(new.sum())
        return new.tolist()

    def _put(self, marks: Marks, those: Marks) -> Marks:
        """Puts `those` of the marks, which differ, into the slots; those that were not there."""
        slots, mask = np.frombuffer(self._slots, np.int64), self._mask
        at = marks & mask
        put = []
        while len(those):
            mine, found = marks[those], slots[at[those]]
            taking = those[found == 0]
            slots[at[taking]] = marks[taking]
            # Of two that take one slot the last has it, and the other looks on.
            has = slots[at[taking]] == marks[taking]
            put.append(taking[has])
            those = np.concatenate((taking[~has], those[(found != 0) & (found != mine)]))
            at[those] = (at[those] + 1) & mask
        return np.concatenate(put) if put else those

    def _grow(self) -> None:
        marks = np.frombuffer(self._slots, np.int64)
        marks = marks[marks != 0]
        self._slots = array("q", bytes(16 * len(self._slots)))
        self._mask = len(self._slots) - 1
        self._put(marks, np.arange(len(marks)))
