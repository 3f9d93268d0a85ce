"""NDJSON reader: one object on each line; blank lines are skipped."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import msgspec

from commands.imports.readers.files import CountedFile
from commands.imports.readers.rows import BATCH_ROWS, MalformedRow, Row

LONGEST_LINE = 1 << 20
_PEEKED_LINES = 1000
_SHOWN = 2000
_BOM = b"\xef\xbb\xbf"
_decode = msgspec.json.Decoder(dict[str, Any]).decode


class JsonRows:
    """Implements RowSource. A line above 1 MiB is malformed and never held whole."""

    def __init__(self, file: CountedFile) -> None:
        self._file = file
        peeked = (row for _, row in islice(self._rows(), _PEEKED_LINES) if isinstance(row, dict))
        self.columns = tuple(dict.fromkeys(name for row in peeked for name in row))
        file.content.seek(0)

    def batches(self) -> Iterator[list[tuple[int, Row]]]:
        rows = self._rows()
        while batch := list(islice(rows, BATCH_ROWS)):
            yield batch

    def fraction(self) -> float:
        return self._file.fraction()

    def close(self) -> None:
        self._file.close()

    def _rows(self) -> Iterator[tuple[int, Row]]:
        readline = self._file.content.readline
        number = 0
        while line := readline(LONGEST_LINE):
            number += 1
            if len(line) >= LONGEST_LINE and not line.endswith(b"\n"):
                yield number, MalformedRow("is longer than 1 MiB", _text(line))
                while (rest := readline(LONGEST_LINE)) and not rest.endswith(b"\n"):
                    pass
                continue
            line = line.removeprefix(_BOM).strip() if number == 1 else line.strip()
            if line:
                yield number, _row(line)


def _row(line: bytes) -> Row:
    try:
        return _decode(line)
    except msgspec.ValidationError:
        return MalformedRow("is not a JSON object", _text(line))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return MalformedRow(f"is not JSON: {error}", _text(line))


def _text(line: bytes) -> str:
    return line[:_SHOWN].decode("utf-8", "replace")
