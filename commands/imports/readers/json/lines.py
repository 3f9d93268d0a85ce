"""NDJSON reader: one object on each line; blank lines are skipped."""

import contextlib
import io
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

import msgspec

from commands.imports.readers.file_rows import RowByRow
from commands.imports.readers.files.content import InputFile
from commands.imports.readers.files.encodings import encoding_of, errors_of
from commands.imports.readers.json.single_keys import repeated_key
from commands.imports.readers.rows import LONGEST_LINE, LONGEST_SHOWN, MalformedRow, Row
from commands.intake.payload import MalformedPayloadError, parse_payload, read_number

_PEEKED_ROWS = 1000
_HEAD = 1 << 14
_LONE_CR = re.compile(rb"\r(?!\n|\Z)")
_LIST_WITHIN = re.compile(
    r'\{\s*(?:"[^"\\]*"\s*:\s*(?:"[^"\\]*"|[\w.+-]+)\s*,\s*)*"([^"\\]*)"\s*:\s*\[\s*\{'
)
_BOM = b"\xef\xbb\xbf"
_decode = msgspec.json.Decoder(dict[str, Any], float_hook=read_number).decode


class JsonRows(RowByRow):
    """Implements RowSource. A line above 1 MiB is malformed and never held whole."""

    def __init__(self, file: InputFile, encoding: str | None = None) -> None:
        super().__init__(file)
        self._encoding = encoding_of(file.head(512), encoding)
        self.columns = names_in(self._rows())
        file.rewind()

    @property
    def kind(self) -> str:
        return ", ".join(("NDJSON", *self._file.packing))

    def _rows(self) -> Iterator[tuple[int, Row]]:
        for number, line, whole in self._lines():
            if not whole and len(line) >= LONGEST_LINE:
                yield number, MalformedRow("is longer than 1 MiB", shown(line))
            elif not whole and self._file.damage:
                yield number, MalformedRow("is cut off", shown(line))
            elif stripped := line.strip():
                yield number, row_of(stripped)

    def _lines(self) -> Iterator[tuple[int, bytes, bool]]:
        """Number, bytes in UTF-8, and whether its end is there."""
        readline = self._readline()
        number = 0
        while line := readline(LONGEST_LINE):
            whole = line.endswith((b"\n", b"\r"))
            if not number:
                line = line.removeprefix(_BOM)
            *ended, last = line.rstrip(b"\r\n").split(b"\r") if b"\r" in line else (line,)
            for each in ended:
                number += 1
                yield number, each, True
            number += 1
            yield number, last, whole
            while len(line) >= LONGEST_LINE and not line.endswith((b"\n", b"\r")):
                line = readline(LONGEST_LINE)

    def _readline(self) -> Any:
        utf8 = self._encoding in ("utf-8", "utf-8-sig")
        if utf8 and not _LONE_CR.search(self._file.head(_HEAD)):
            return self._file.content.readline
        # Slower, and reads any encoding and line end.
        text = io.TextIOWrapper(
            self._file.content, self._encoding, errors=errors_of(self._encoding), newline=""
        )

        def readline(size: int) -> bytes:
            return text.readline(size).encode("utf-8", "surrogateescape")

        return readline


def names_in(rows: Iterator[tuple[int, Row]]) -> tuple[str, ...]:
    """Those of the first thousand rows, in their order."""
    peeked = (row for _, row in islice(rows, _PEEKED_ROWS) if isinstance(row, dict))
    return tuple(dict.fromkeys(name for row in peeked for name in row))


def list_within(row: Row) -> str | None:
    """The member that holds a list of objects: of an answer of an API these are the rows."""
    if isinstance(row, MalformedRow):
        found = _LIST_WITHIN.match(row.original)
        return found[1] if found else None
    lists = ((name, each) for name, each in row.items() if type(each) is list and each)
    return next((name for name, each in lists if type(each[0]) is dict), None)


def row_of(line: bytes) -> Row:
    """The object that the text is, or what is wrong with it."""
    try:
        row = _decode(line)
    except msgspec.ValidationError:
        return _rarely_read(line) or MalformedRow("is not a JSON object", shown(line))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return _rarely_read(line) or MalformedRow(f"is not JSON: {error}", shown(line))
    repeated = repeated_key(line, row)
    if repeated is not None:
        return MalformedRow(f"names {repeated!r} twice", shown(line))
    return row


def _rarely_read(line: bytes) -> dict[str, Any] | None:
    """What the API reads and the decoder does not: halves of surrogate pairs, long integers."""
    with contextlib.suppress(MalformedPayloadError):
        return dict(parse_payload(line)[0])
    return None


def shown(line: bytes) -> str:
    return line[:LONGEST_SHOWN].decode("utf-8", "replace")
