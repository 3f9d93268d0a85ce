"""Port of the readers of files: rows in batches, malformed ones among them."""

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

from domain.errors import InvalidInputError

BATCH_ROWS = 4096
LONGEST_LINE = 1 << 20
LONGEST_SHOWN = 2000


@dataclass(frozen=True, slots=True)
class MalformedRow:
    """A row that cannot be read as columns with values. `original` is as found, maybe shortened."""

    reason: str
    original: str


Row = dict[str, Any] | MalformedRow
Times = tuple[Sequence[int | None], bool]


class Batch(Protocol):
    """Rows with their lines, one after the other or column by column."""

    @property
    def lines(self) -> Sequence[int]: ...

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[tuple[int, Row]]: ...

    def row(self, at: int) -> Row: ...

    def column(self, name: str) -> list[Any]:
        """One value of each row; None where it has none or is malformed."""
        ...

    def times(self, name: str, /) -> Times | None:
        """Of a column that is typed as times, or plainly written so: microseconds UTC, and whether
        they state no zone."""
        ...

    def others(self, used: frozenset[str]) -> list[dict[str, Any]] | None:
        """Of each row the values of columns not `used`, absent and empty ones left out; None where
        there is no such column.
        """
        ...


class RowBatch(list[tuple[int, Row]]):
    """Implements Batch over rows that are there already."""

    @property
    def lines(self) -> Sequence[int]:
        return [line for line, _ in self]

    def row(self, at: int) -> Row:
        return self[at][1]

    def column(self, name: str) -> list[Any]:
        return [row.get(name) if type(row) is dict else None for _, row in self]

    def times(self, _name: str) -> Times | None:
        return None

    def others(self, used: frozenset[str]) -> list[dict[str, Any]] | None:
        return [
            {k: v for k, v in row.items() if k not in used and v is not None and v != ""}
            if type(row) is dict
            else {}
            for _, row in self
        ]


class RowSource(Protocol):
    """One pass over a file in its order, in bounded memory. A broken row is yielded, not raised.

    Where a file ends in damage, `batches` yields all rows before it and then raises
    InvalidInputError.
    """

    @property
    def columns(self) -> tuple[str, ...]:
        """Names in the file's order; of JSON, those of its first thousand rows."""
        ...

    @property
    def kind(self) -> str:
        """What the file is, in words."""
        ...

    @property
    def part(self) -> str:
        """Name of the file that the latest batch is from."""
        ...

    def batches(self) -> Iterator[Batch]:
        """(line, row). A line is counted from 1 in each file; where a format has no lines, it is
        the row's number.
        """
        ...

    def fraction(self) -> float:
        """How much has been read, 0 to 1."""
        ...

    def close(self) -> None: ...


class UpToDamage:
    """A source that ends quietly where its file is damaged: for what looks at rows beforehand."""

    def __init__(self, rows: RowSource) -> None:
        self._rows = rows
        self.columns, self.kind, self.part = rows.columns, rows.kind, rows.part
        self.fraction, self.close = rows.fraction, rows.close

    def batches(self) -> Iterator[Batch]:
        with contextlib.suppress(InvalidInputError):
            yield from self._rows.batches()


def batched(rows: Iterable[tuple[int, Row]]) -> Iterator[RowBatch]:
    """Of at most BATCH_ROWS."""
    rows = iter(rows)
    while batch := RowBatch(islice(rows, BATCH_ROWS)):
        yield batch


def distinct_names(names: Iterable[str]) -> tuple[str, ...]:
    """Column names as rows are addressed by them.

    A name that comes again gets `.1`, `.2` and so on; one without a name is `column_N`, from 1.
    """
    given = [name.strip() or f"column_{at}" for at, name in enumerate(names, 1)]
    taken = set(given)
    seen: set[str] = set()
    found = []
    for name in given:
        if name in seen:
            name = next(
                other for n in range(1, len(given) + 1) if (other := f"{name}.{n}") not in taken
            )
            taken.add(name)
        seen.add(name)
        found.append(name)
    return tuple(found)
