"""CSV reader: one row for each line, or for lines that a quoted value joins; values stay text."""

import csv
import io
import re
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import dropwhile, islice, repeat
from typing import Any

from commands.imports.readers.column_batch import TextBatch
from commands.imports.readers.delimited.dialect import Dialect, begins_like_number, find_dialect
from commands.imports.readers.file_rows import FileRows
from commands.imports.readers.files.content import InputFile
from commands.imports.readers.files.encodings import (
    encoding_of,
    errors_of,
    undecodable,
    undecodable_reason,
)
from commands.imports.readers.rows import (
    BATCH_ROWS,
    LONGEST_LINE,
    LONGEST_SHOWN,
    Batch,
    MalformedRow,
    Row,
    batched,
    distinct_names,
)
from domain.errors import InvalidInputError

HEAD_BYTES = 1 << 17
_MOST_LINES = 200
_LINE_ENDS = re.compile("\r\n|\n|\r")
_DELIMITER_NAMES = {"\t": "tab", "\x01": "Ctrl-A", "\x1f": "unit separator"}
_Line = tuple[int, str]


class CsvRows(FileRows):
    """Implements RowSource. Empty values are None.

    A quote that nothing closes costs its own line alone: a value runs over several lines only
    where the quote is closed, the row has then as many values as the header, and none of the
    lines reads as a row of its own.
    """

    def __init__(self, file: InputFile, encoding: str | None = None) -> None:
        super().__init__(file)
        head = file.head(HEAD_BYTES)
        self._encoding = encoding_of(head, encoding)
        lines = _LINE_ENDS.split(head.decode(self._encoding, errors_of(self._encoding)))
        dialect = find_dialect(lines[:-1] if len(head) == HEAD_BYTES else lines)
        if dialect is None:
            raise InvalidInputError("FILE", f"{file.name} is empty")
        self.dialect: Dialect = dialect
        self.columns = self._names(dialect)
        self._text = io.TextIOWrapper(
            file.content, self._encoding, errors=errors_of(self._encoding), newline=""
        )

    @property
    def kind(self) -> str:
        mark, names = self.dialect.delimiter, self.dialect.names
        packed = "".join(f", {packing}" for packing in self._file.packing)
        header = "" if names is not None else ", without a header"
        quote = ", values between '" if self.dialect.quote == "'" else ""
        shown = _DELIMITER_NAMES.get(mark, mark)
        encoding = self._encoding.removesuffix("-sig").upper()
        return f"CSV, delimiter {shown!r}, {encoding}{quote}{header}{packed}"

    def close(self) -> None:
        self._text.close()
        super().close()

    def _names(self, dialect: Dialect) -> tuple[str, ...]:
        names = dialect.names or ("",) * dialect.width
        for name in names:
            if undecodable(name, self._encoding):
                reason = undecodable_reason(self._encoding)
                raise InvalidInputError("FILE", f"the header of {self._file.name} {reason}")
        return distinct_names(names)

    def _batches(self) -> Iterator[Batch]:
        """Lines that are nothing but values and delimiters are split many at a time."""
        first = self.dialect.first_line + (self.dialect.names is not None)
        lines = dropwhile(lambda line: line[0] < first, self._lines())
        while block := list(islice(lines, BATCH_ROWS)):
            plain = self._split(block)
            if plain is not None:
                yield plain
            else:
                yield from batched(self._rows(lines, deque(block)))

    def _split(self, block: Sequence[_Line]) -> TextBatch | None:
        """None where a line asks to be looked at by itself."""
        numbers, lines = zip(*block, strict=True)
        width, dialect = len(self.columns), self.dialect
        whole = "".join(lines).replace("\r\n", "\n")
        if (
            width < 2
            or dialect.quote in whole
            or "\r" in whole
            or not whole.isascii()
            or not whole.endswith("\n")
            or max(map(len, lines)) >= LONGEST_LINE
            or {*map(str.count, lines, repeat(dialect.delimiter))} != {width - 1}
        ):
            return None
        values = whole[:-1].replace("\n", dialect.delimiter).split(dialect.delimiter)
        return TextBatch(numbers, self.columns, values)

    def _rows(self, lines: Iterator[_Line], again: deque[_Line]) -> Iterator[tuple[int, Row]]:
        """Of the lines `again`, and of as many of the others as their quotes take."""
        columns, width = self.columns, len(self.columns)
        delimiter, quote = self.dialect.delimiter, self.dialect.quote
        while again:
            number, line = again.popleft()
            text = line.rstrip("\r\n")
            if not (text.strip() or delimiter in text):
                continue
            if len(line) >= LONGEST_LINE:
                yield number, MalformedRow("is longer than 1 MiB", text[:LONGEST_SHOWN])
                continue
            if not line.endswith(("\n", "\r")) and self._file.damage:
                yield number, MalformedRow("is cut off", text[:LONGEST_SHOWN])
                continue
            values = self._quoted(line, lines, again) if quote in text else text.split(delimiter)
            if isinstance(values, str):
                yield number, MalformedRow(values, text[:LONGEST_SHOWN])
            elif len(values) != width:
                reason = f"has {len(values)} values, the header names {width}"
                yield number, MalformedRow(reason, text[:LONGEST_SHOWN])
            elif not text.isascii() and undecodable(text, self._encoding):
                reason = undecodable_reason(self._encoding)
                yield number, MalformedRow(reason, text[:LONGEST_SHOWN])
            else:
                given = [value or None for value in values] if "" in values else values
                yield number, dict(zip(columns, given, strict=True))

    def _lines(self) -> Iterator[_Line]:
        """With their ends; of one that is too long, its beginning."""
        readline = self._text.readline
        number = 0
        while line := readline(LONGEST_LINE):
            number += 1
            yield number, line
            while len(line) >= LONGEST_LINE and not line.endswith(("\n", "\r")):
                line = readline(LONGEST_LINE)

    def _quoted(self, line: str, lines: Iterator[_Line], again: deque[_Line]) -> list[str] | str:
        """Values of the row that begins in `line`, or what is wrong with it.

        Lines that were looked at and are not part of it are put back.
        """
        values, open_ended = self._parsed([line])
        if values is not None:
            return values
        if not open_ended:
            return "has a quote that is neither doubled nor at the end of a value"
        taken: list[_Line] = []
        size = len(line)
        for _ in range(_MOST_LINES):
            number, more = again.popleft() if again else next(lines, (0, ""))
            if not number:
                break
            taken.append((number, more))
            size += len(more)
            if size >= LONGEST_LINE or self.dialect.like_row(more.rstrip("\r\n")):
                break
            if self.dialect.quote in more:
                values, open_ended = self._parsed([line, *(each for _, each in taken)])
                if values is not None and len(values) == len(self.columns):
                    if self._joins_text(values, taken):
                        return values
                    break
                if not open_ended:
                    break
        again.extendleft(reversed(taken))
        return "has a quote that nothing closes"

    def _joins_text(self, values: list[str], taken: list[_Line]) -> bool:
        """Whether all of it can be decoded, and no number or time has a line break within."""
        numbers = [values[at].strip() for at in self.dialect.numbers]
        return not any(undecodable(each, self._encoding) for _, each in taken) and not any(
            begins_like_number(each) and _LINE_ENDS.search(each) for each in numbers
        )

    def _parsed(self, lines: list[str]) -> tuple[list[str] | None, bool]:
        """The values of one row, and whether a quote is still open where there are none."""
        dialect, width = self.dialect, len(self.columns)
        found, open_ended = _strict(lines, dialect)
        if found is not None and len(found) == width:
            return found, False
        for sign, option in _VARIANTS:
            if any(sign.format(d=dialect.delimiter, q=dialect.quote) in line for line in lines):
                other, _ = _strict(lines, dialect, **option)
                if other is not None and len(other) == width:
                    return other, False
        return found, open_ended


# What some programs write: a blank before the quote, a backslash before a quote in a value.
_VARIANTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("{d} {q}", {"skipinitialspace": True}),
    ("\\{q}", {"escapechar": "\\"}),
)


def _strict(lines: list[str], dialect: Dialect, **option: Any) -> tuple[list[str] | None, bool]:
    reader = csv.reader(
        lines, delimiter=dialect.delimiter, quotechar=dialect.quote, strict=True, **option
    )
    try:
        values = next(reader)
    except csv.Error as error:
        return None, "unexpected end" in str(error)
    return (values, False) if reader.line_num == len(lines) else (None, False)
