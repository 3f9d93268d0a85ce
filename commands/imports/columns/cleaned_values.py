"""Values of a column, each cleaned once however often it comes."""

from collections.abc import Callable, Sequence
from typing import Any

REMEMBERED = 1 << 16
FAILED: Any = object()
"""In the place of a value whose row is left to the cleaning of whole rows."""

Left = set[int]
"""The rows of a batch that are left, by their number in it."""


class CleanedValues:
    """Values of a column, cleaned. The row is left where `clean` raises ValueError."""

    def __init__(self, clean: Callable[[Any], Any], remember: bool = True) -> None:
        self._clean, self._remember, self._failed = clean, remember, False
        # One for each type: 1, 1.0 and True are equal, and not cleaned to the same.
        self._memories: dict[type, _Memory] = {}

    def of(self, values: Sequence[Any], left: Left) -> list[Any]:
        try:
            found = self._of(values)
        except TypeError:  # lists and objects of JSON cannot be remembered
            found = list(map(self._cleaned, values))
        if self._failed:
            left.update(at for at, each in enumerate(found) if each is FAILED)
        return found

    def _of(self, values: Sequence[Any]) -> list[Any]:
        if not self._remember:
            return list(map(self._cleaned, values))
        kinds = set(map(type, values))
        for kind in kinds - self._memories.keys():
            self._memories[kind] = _Memory(self._cleaned)
        if len(kinds) == 1:
            return list(map(self._memories[kinds.pop()].__getitem__, values))
        memories = self._memories
        return [memories[type(value)][value] for value in values]

    def _cleaned(self, value: Any) -> Any:
        try:
            return self._clean(value)
        except ValueError:
            self._failed = True
            return FAILED


class _Memory(dict[Any, Any]):
    def __init__(self, make: Callable[[Any], Any]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, key: Any) -> Any:
        if len(self) >= REMEMBERED:
            self.clear()
        made = self[key] = self._make(key)
        return made
