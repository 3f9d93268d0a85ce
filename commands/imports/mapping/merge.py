"""Second files of a data set: their columns are added to the rows that have the same id."""

import pickle
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

from commands.imports.mapping.model import FileMapping, SecondFile
from commands.imports.mapping.values import as_text
from commands.imports.mapping.yaml_file import OPTION
from commands.imports.readers.opening import open_rows
from commands.imports.readers.rows import (
    Batch,
    MalformedRow,
    Row,
    RowBatch,
    RowSource,
    distinct_names,
)
from domain.errors import InvalidInputError

_APART = "\x1f"


class RowsById:
    """The rows of a second file, in an unnamed file on disk: memory does not grow with them.

    Raises InvalidInputError where it cannot be read as a whole, or has an id twice.
    """

    def __init__(self, given: SecondFile, folder: Path, encoding: str | None) -> None:
        self.name = given.file
        self._here, self._there = tuple(given.on), tuple(given.on.values())
        path = folder / given.file
        if not path.is_file():
            raise InvalidInputError(
                OPTION,
                f"the columns of {given.file} are to be added by {', '.join(self._here)}, and"
                f" there is no such file in {folder.absolute()}",
            )
        self._table = sqlite3.connect("")
        try:
            with closing(open_rows(path, encoding)) as rows:
                _check(self._there, rows.columns, given.file)
                self.columns = tuple(name for name in rows.columns if name not in self._there)
                self._fill(rows)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._table.close()

    def check(self, columns: Sequence[str], name: str) -> None:
        """Raises InvalidInputError where the first file lacks the columns of the id."""
        _check(self._here, columns, name)

    def of(self, row: Mapping[str, Any]) -> Sequence[Any] | None:
        """Values of `columns`; None where no row has the id of this one."""
        key = _key(row, self._here)
        found = key and self._table.execute("SELECT row FROM rows WHERE id = ?", (key,)).fetchone()
        return pickle.loads(found[0]) if found else None

    def _fill(self, rows: RowSource) -> None:
        self._table.execute("CREATE TABLE rows (id TEXT PRIMARY KEY, row BLOB) WITHOUT ROWID")
        for batch in rows.batches():
            for line, row in batch:
                if isinstance(row, MalformedRow):
                    raise self._wrong(line, row.reason)
                if (key := _key(row, self._there)) is None:
                    continue
                values = pickle.dumps(tuple(row.get(name) for name in self.columns))
                try:
                    self._table.execute("INSERT INTO rows VALUES (?, ?)", (key, values))
                except sqlite3.IntegrityError:
                    raise self._wrong(line, "has the id of a line before it") from None

    def _wrong(self, line: int, reason: str) -> InvalidInputError:
        return InvalidInputError(OPTION, f"{self.name}, line {line}: {reason}")


class Merger:
    """Adds the columns of the second files to rows that have the `columns` of the first.

    Of columns that share a name, the second is `NAME.1`. `unmatched` counts by file the rows whose
    id it does not have; its columns are absent from them.
    """

    def __init__(self, columns: Sequence[str], seconds: Sequence[RowsById], name: str) -> None:
        self._seconds = seconds
        for each in seconds:
            each.check(columns, name)
        added = [column for each in seconds for column in each.columns]
        self.columns = distinct_names([*columns, *added])
        self._added = self.columns[len(columns) :]
        self.unmatched: Counter[str] = Counter()

    def merged(self, row: Row) -> Row:
        if isinstance(row, MalformedRow):
            return row
        values: list[Any] = []
        for each in self._seconds:
            found = each.of(row)
            self.unmatched[each.name] += found is None
            values.extend(found or [None] * len(each.columns))
        return {**row, **dict(zip(self._added, values, strict=True))}


class MergedRows:
    """Implements RowSource: `rows` with the columns of the second files, which stay open."""

    def __init__(self, rows: RowSource, seconds: Sequence[RowsById]) -> None:
        self._rows = rows
        self._merger = Merger(rows.columns, seconds, rows.part)
        self.columns, self.unmatched = self._merger.columns, self._merger.unmatched
        self.kind = " with ".join([rows.kind, *(each.name for each in seconds)])
        self.fraction, self.close = rows.fraction, rows.close

    @property
    def part(self) -> str:
        return self._rows.part

    def batches(self) -> Iterator[Batch]:
        for batch in self._rows.batches():
            yield RowBatch((line, self._merger.merged(row)) for line, row in batch)


def merging(rows: Callable[[], RowSource], seconds: Sequence[RowsById]) -> RowSource:
    """What `rows` opens, with the columns of the second files where there are any."""
    opened = rows()
    try:
        return MergedRows(opened, seconds) if seconds else opened
    except BaseException:
        opened.close()
        raise


@contextmanager
def second_files(
    mapping: FileMapping, file: Path, encoding: str | None
) -> Iterator[Sequence[RowsById]]:
    """Those of the mapping, from the folder of `file`. Raises InvalidInputError."""
    with ExitStack() as opened:
        yield [
            opened.enter_context(closing(RowsById(each, file.parent, encoding)))
            for each in mapping.merge
        ]


def _key(row: Mapping[str, Any], columns: Sequence[str]) -> str | None:
    """None where a part of the id is absent."""
    parts = ["" if (part := row.get(name)) is None else as_text(part) for name in columns]
    return _APART.join(parts) if all(parts) else None


def _check(wanted: Sequence[str], columns: Sequence[str], name: str) -> None:
    for column in wanted:
        if column not in columns:
            has = ", ".join(columns[:20])
            raise InvalidInputError(OPTION, f"merge: no column {column!r} in {name}; it has {has}")
