"""Choice of the reader of a file, by the file's content."""

import json
import re
from collections.abc import Sequence
from itertools import pairwise
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
_DELIMITED = re.compile(r"[,;|\t]")
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
    lines = start.splitlines()[:_LINES]
    if any(map(_is_object, lines)) and not (start[0] == "{" and _parted_by_commas(lines)):
        return JsonRows(file, encoding)
    if start[0] == "{":
        apart = _over_lines(start) or _followed(start)
        return JsonValues(file, encoding) if apart else JsonRows(file, encoding)
    if 2 * sum(line.startswith('{"') for line in lines) >= len(lines):
        return JsonRows(file, encoding)
    unknown = InvalidInputError("FILE", f"{file.name} has an unknown format: {_FORMATS}")
    if len(_CONTROL.findall(text)) * 10 > len(text):
        raise unknown
    rows = CsvRows(file, encoding)
    if len(rows.columns) == 1 and not _NAME.fullmatch(lines[0].strip()):
        raise _title_above(file.name, lines) or unknown
    return rows


def _title_above(name: str, lines: Sequence[str]) -> InvalidInputError | None:
    """Where a table begins below a title, as reports are exported."""
    signs = [len(_DELIMITED.findall(line)) for line in lines]
    at = next((at for at, (one, two) in enumerate(pairwise(signs), 1) if 0 < one == two), None)
    if at is None:
        return None
    told = f"begins with other text than its header, which may be line {at}"
    return InvalidInputError("FILE", f"{name} {told}: take out the lines above the header")


def _parted_by_commas(lines: Sequence[str]) -> bool:
    """Whether most lines are an object and a comma: the inside of an array."""
    return sum(line.rstrip().endswith("},") for line in lines) > sum(map(_is_object, lines))


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


def _followed(start: str) -> bool:
    """Whether another object stands in the line of the first one."""
    try:
        _, end = json.JSONDecoder().raw_decode(start)
    except (ValueError, RecursionError):
        return False
    return start[end:].lstrip(" \t,\r\n")[:1] == "{"


def _joined(start: str) -> bool:
    try:
        _, end = json.JSONDecoder().raw_decode(start)
    except (ValueError, RecursionError):
        return False
    return "\n" in start[:end]
