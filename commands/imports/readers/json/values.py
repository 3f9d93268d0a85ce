"""JSON reader for an array of objects, and for objects that run over several lines."""

import codecs
import json
import re
from collections.abc import Iterator

from commands.imports.readers.file_rows import RowByRow
from commands.imports.readers.files.content import InputFile
from commands.imports.readers.files.encodings import encoding_of, errors_of
from commands.imports.readers.json.lines import names_in, row_of
from commands.imports.readers.rows import LONGEST_LINE, LONGEST_SHOWN, MalformedRow, Row

_BLOCK = 1 << 16
_BETWEEN = re.compile(r"[\s,\ufeff]*")
_NEXT_OBJECT = re.compile(r"\}[\s,]*(?=\{)")
_decode = json.JSONDecoder().raw_decode


class JsonValues(RowByRow):
    """Implements RowSource; a row's line is its number. An object that cannot be read ends where
    the next one begins; one above 1 MiB is malformed.
    """

    def __init__(self, file: InputFile, encoding: str | None = None) -> None:
        super().__init__(file)
        self._encoding = encoding_of(file.head(512), encoding)
        self._array = file.head(512).decode(self._encoding, "replace").lstrip("\ufeff \r\n\t")[0]
        self.columns = names_in(self._rows())
        file.rewind()

    @property
    def kind(self) -> str:
        what = "JSON array" if self._array == "[" else "JSON objects over several lines"
        return ", ".join((what, *self._file.packing))

    def _rows(self) -> Iterator[tuple[int, Row]]:
        return enumerate(self._values(), 1)

    def _values(self) -> Iterator[Row]:
        decoder = codecs.getincrementaldecoder(self._encoding)(errors_of(self._encoding))
        text, at, ended = "", 0, False
        opened = False
        while True:
            at = _skipped(text, at)
            # One array may follow another.
            if self._array == "[" and text[at : at + 1] == ("]" if opened else "["):
                opened, at = not opened, at + 1
                continue
            found = self._value(text, at, ended) if at < len(text) else None
            if found is not None:
                row, at = found
                yield row
            elif ended:
                if opened:
                    self._file.tell_unfinished("a JSON array")
                return
            else:
                block = self._file.content.read1(_BLOCK)
                ended = not block
                text, at = text[at:] + decoder.decode(block, final=ended), 0

    def _value(self, text: str, at: int, ended: bool) -> tuple[Row, int] | None:
        """The row that begins there and where it ends; None where more text is needed."""
        try:
            _, end = _decode(text, at)
        except (ValueError, RecursionError):
            following = _NEXT_OBJECT.search(text, at + 1)
            if following:
                end = following.start() + 1
            elif len(text) - at > LONGEST_LINE or ended:
                end = len(text)
            else:
                return None
            reason = "is cut off" if ended and end == len(text) else "is not JSON"
            return MalformedRow(reason, text[at : min(end, at + LONGEST_SHOWN)]), end
        # A number may go on in the next block.
        if end == len(text) and not ended:
            return None
        return row_of(text[at:end].encode("utf-8", "surrogateescape")), end


def _skipped(text: str, at: int) -> int:
    found = _BETWEEN.match(text, at)
    return found.end() if found else at
