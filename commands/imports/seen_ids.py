"""Ids that a file has used already, in eight bytes each."""

from array import array

_LEAST = 1 << 16


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

    def _grow(self) -> None:
        old, size = self._slots, 2 * len(self._slots)
        slots, mask = array("q", bytes(8 * size)), size - 1
        for mark in old:
            if mark:
                at = mark & mask
                while slots[at]:
                    at = (at + 1) & mask
                slots[at] = mark
        self._slots, self._mask = slots, mask
