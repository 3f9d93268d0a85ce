"""Several files read one after the other as one."""

from collections.abc import Callable, Iterator, Sequence

from commands.imports.readers.files.content import Part
from commands.imports.readers.rows import Batch, RowSource
from domain.errors import InvalidInputError


class ManyRows:
    """Implements RowSource; lines are counted in each file. One file is open at a time."""

    def __init__(self, parts: Sequence[Part], read: Callable[[Part], RowSource]) -> None:
        self._parts, self._open = parts, read
        self._done, self._all = 0, max(sum(part.size for part in parts), 1)
        self._current: RowSource | None = None
        kinds: dict[str, None] = {}
        names: dict[str, None] = {}
        for at, part in enumerate(parts):
            source = read(part)
            source.close()
            if at and not source.kind.startswith("JSON"):
                self._compare(part.name, source.columns, tuple(names))
            kinds[source.kind] = None
            names |= dict.fromkeys(source.columns)
        self.columns = tuple(names)
        self.kind = f"{len(parts)} files: {'; '.join(kinds)}"
        self.part = parts[0].name

    def batches(self) -> Iterator[Batch]:
        for part in self._parts:
            self._current = self._open(part)
            try:
                for batch in self._current.batches():
                    self.part = part.name
                    yield batch
            finally:
                self._current.close()
                self._current = None
            self._done += part.size

    def fraction(self) -> float:
        return min(1.0, self._done / self._all)

    def close(self) -> None:
        if self._current is not None:
            self._current.close()

    def _compare(self, name: str, columns: Sequence[str], first: Sequence[str]) -> None:
        missing = [column for column in first if column not in columns]
        new = [column for column in columns if column not in first]
        if missing or new:
            told = f"lacks {', '.join(missing)}" if missing else f"has {', '.join(new)} besides"
            raise InvalidInputError(
                "FILE",
                f"{name} has other columns than {self._parts[0].name}: it {told}; "
                "import them one by one",
            )
