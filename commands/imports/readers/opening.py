"""Choice of the reader of a file, by the file's content."""

import json
import re
from pathlib import Path

from commands.imports.readers.arrow_rows import ArrowRows, is_columnar
from commands.imports.readers.delimited.rows import CsvRows
from commands.imports.readers.files.content import InputFile, Part, refuse_foreign
from commands.imports.readers.files.encodings import encoding_of
from commands.imports.readers.files.parts import parts_of
from commands.imports.readers.json.lines import JsonRows
from commands.imports.readers.json.values import JsonValues
from commands.imports.readers.many_rows import ManyRows
from commands.imports.readers.rows import RowSource
from domain.errors import InvalidInputError

_FORMATS = "expected CSV, JSON, Parquet or Arrow, also packed, or a folder of them"
_HEAD = 1 << 13
_LINES = 50
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1b\x7f\ufffd]")
_NAME = re.compile(r"[\w.\-#$%/()\[\]'\"]{1,64}")


def open_rows(path: Path, encoding: str | None = None) -> RowSource:
    """`path` is a file, a folder, a pattern or a zip archive; `encoding` is that of its text.

    Raises InvalidInputError saying what is wrong with the file as a whole.
    """
    parts = parts_of(path)
    if len(parts) == 1:
        return _open_part(parts[0], encoding)
    return ManyRows(parts, lambda part: _open_part(part, encoding))


def _open_part(part: Part, encoding: str | None) -> RowSource:
    try:
        file = InputFile(part)
    except OSError as error:
        raise InvalidInputError("FILE", f"{part.name} cannot be read: {error}") from None
    try:
        head = refuse_foreign(file)
        return ArrowRows(file) if is_columnar(head) else _text_rows(file, encoding)
    except BaseException:
        file.close()
        raise


def _text_rows(file: InputFile, encoding: str | None) -> RowSource:
    head = file.head(_HEAD)
    text = head.decode(encoding_of(head, encoding), "replace")
    start = text.lstrip("\ufeff \r\n\t")
    if not start:
        raise InvalidInputError("FILE", f"{file.name} is empty")
    if start[0] == "[" and start[1:].lstrip()[:1] in ("{", "]"):
        return JsonValues(file, encoding)
    if _has_object(start):
        return JsonRows(file, encoding)
    if start[0] == "{":
        return JsonValues(file, encoding) if _over_lines(start) else JsonRows(file, encoding)
    lines = start.splitlines()[:_LINES]
    if 2 * sum(line.startswith('{"') for line in lines) >= len(lines):
        return JsonRows(file, encoding)
    unknown = InvalidInputError("FILE", f"{file.name} has an unknown format: {_FORMATS}")
    if len(_CONTROL.findall(text)) * 10 > len(text):
        raise unknown
    rows = CsvRows(file, encoding)
    if len(rows.columns) == 1 and not _NAME.fullmatch(start.splitlines()[0].strip()):
        raise unknown
    return rows


def _has_object(start: str) -> bool:
    """Whether one of the first lines is a JSON object: others may be damaged."""
    return any(map(_is_object, start.splitlines()[:_LINES]))


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _over_lines(start: str) -> bool:
    """Whether the first object ends on another line than it begins."""
    line, _, rest = start.partition("\n")
    if not rest:
        return False
    return line.strip() == "{" or _joined(start)


def _joined(start: str) -> bool:
    try:
        _, end = json.JSONDecoder().raw_decode(start)
    except (ValueError, RecursionError):
        return False
    return "\n" in start[:end]
