"""Places of one partition: the entries of each name, in a few sorted arrays and what is newest.

The first array is read from its file as it is asked for (mmap), and is not loaded.
"""

from bisect import bisect_left
from collections.abc import Sequence

from eventlog.index.entries import Sorted, below, joined, sorted_pairs

_NEW = 4_096
# A level is merged with the one before it unless that is so many times as long.
_TIMES = 4


class Places:
    """`levels` are never changed in place. The first one is what was opened, and may be empty."""

    def __init__(self, first: Sorted) -> None:
        self.levels = [first]
        # Tuples of numbers: the garbage collector walks no such, and would walk lists.
        self._new: dict[int, tuple[int, ...]] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count + sum(map(_len, self.levels))

    def of(self, name: int) -> list[int]:
        """Its entries, by place."""
        found = list(self._new.get(name, ()))
        for names, entries in self.levels:
            # Not searchsorted: it lets go of the interpreter, and the loop waits to have it back.
            at = bisect_left(names.data, name)
            while at < len(names) and names[at] == name:
                found.append(int(entries[at]))
                at += 1
        return sorted(set(found))

    def add(self, name: int, entry: int) -> None:
        self._new[name] = (*self._new.get(name, ()), entry)
        self._count += 1

    def settle(self, least: int = _NEW) -> bool:
        """What is newest becomes an array, where it is as much as that; False where it is not."""
        if self._count < least:
            return False
        self.levels.append(sorted_pairs(self.newest()))
        self._new, self._count = {}, 0
        return True

    def newest(self) -> list[tuple[int, int]]:
        """(name, entry) of what is in no array yet."""
        return [(name, entry) for name, entries in self._new.items() for entry in entries]

    def loaded(self) -> int:
        """How many entries are in memory, and not in the first array."""
        return len(self) - _len(self.levels[0])


def merged(levels: Sequence[Sorted]) -> list[Sorted]:
    """The same in fewer, so that few are searched; the first stays as it is."""
    found = list(levels)
    while len(found) > 2 and _TIMES * _len(found[-1]) > _len(found[-2]):
        last = found.pop()
        found[-1] = joined([found[-1], last])
    return found


def split(levels: Sequence[Sorted], offset: int) -> tuple[Sorted, Sorted]:
    """What lies below the offset, and the rest."""
    names, entries = levels[0] if len(levels) == 1 else joined(levels)
    lower = below(entries, offset)
    return (names[lower], entries[lower]), (names[~lower], entries[~lower])


def _len(level: Sorted) -> int:
    return len(level[0])
