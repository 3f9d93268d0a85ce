"""CSV reader: finds delimiter, encoding and header; values stay text."""

import csv
import io
from collections.abc import Iterator
from itertools import islice

from commands.imports.readers.files import CountedFile
from commands.imports.readers.rows import BATCH_ROWS, MalformedRow, Row
from domain.errors import InvalidInputError

_DELIMITERS = ",;\t|"
_HEAD = 1 << 16
_SHOWN = 2000


class CsvRows:
    """Implements RowSource. Empty values are None; names are trimmed."""

    def __init__(self, file: CountedFile) -> None:
        self._file = file
        head = file.head(_HEAD)
        encoding = "utf-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
        self._delimiter = _delimiter(head.decode(encoding, "replace"))
        # Undecodable bytes travel as lone surrogates, which cleaning finds row by row.
        text = io.TextIOWrapper(file.content, encoding, errors="surrogateescape", newline="")
        self._text = text
        self._reader = csv.reader(text, delimiter=self._delimiter)
        self.columns = _header(self._reader)

    def batches(self) -> Iterator[list[tuple[int, Row]]]:
        rows = self._rows()
        while batch := list(islice(rows, BATCH_ROWS)):
            yield batch

    def fraction(self) -> float:
        return self._file.fraction()

    def close(self) -> None:
        self._text.close()
        self._file.close()

    def _rows(self) -> Iterator[tuple[int, Row]]:
        columns, width, reader = self.columns, len(self.columns), self._reader
        while True:
            line = reader.line_num + 1
            try:
                values = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                reason = f"lines {line} to {reader.line_num} are no row: {error}"
                yield line, MalformedRow(reason, "")
                continue
            if len(values) == width:
                yield line, dict(zip(columns, [value or None for value in values], strict=True))
            elif values:
                reason = f"has {len(values)} values, the header names {width}"
                yield line, MalformedRow(reason, self._delimiter.join(values)[:_SHOWN])


def _delimiter(head: str) -> str:
    first = next((line for line in head.splitlines() if line.strip()), "")
    parts = first.split('"')[0::2]  # what is not quoted
    return max(_DELIMITERS, key=lambda mark: sum(part.count(mark) for part in parts))


def _header(reader: Iterator[list[str]]) -> tuple[str, ...]:
    try:
        names = next((row for row in reader if row), None)
    except csv.Error as error:
        raise InvalidInputError("FILE", f"its header cannot be read: {error}") from None
    columns = tuple(name.strip() for name in names or ())
    if not any(columns):
        raise InvalidInputError("FILE", "has no header line with the names of its columns")
    for name in columns:
        if columns.count(name) > 1:
            raise InvalidInputError("FILE", f"its header names the column {name!r} twice")
    return columns
