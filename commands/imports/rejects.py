"""Rejected rows: what is wrong with each, and the file that lists them."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from commands.imports.readers.files.parts import REJECTS_ENDING
from commands.imports.readers.rows import MalformedRow, Row
from domain.errors import FieldError, InvalidInputError

_LONGEST = 1 << 20
_NO_PATTERN = str.maketrans("*?[]", "____")


@dataclass(frozen=True, slots=True)
class Reject:
    """`errors` has one entry or more; `original` is the row as JSON or text, without card numbers.

    `part` is the file among several. The field `row` means that the row as a whole cannot be read.
    """

    line: int
    errors: Sequence[FieldError]
    original: str
    part: str = ""

    @property
    def field(self) -> str:
        return self.errors[0].field

    @property
    def reason(self) -> str:
        return "; ".join(f"{error.field}: {error.message}" for error in self.errors)


def original_text(row: Row) -> str:
    """JSON of the row as read, by its own column names; of a malformed row what was found."""
    if isinstance(row, MalformedRow):
        return row.original
    try:
        # ASCII alone: undecodable bytes of the file are in it as escapes.
        return json.dumps(row, default=str)[:_LONGEST]
    except (ValueError, RecursionError):
        return repr(row)[:_LONGEST]


RejectSink = Callable[[Reject], None]


class RejectFile:
    """One JSON object on each line: line, field, reason, column, and every error of the row.

    The file is made with the first reject; one that an earlier import left is removed.
    """

    def __init__(self, path: Path, column_of: Callable[[str], str]) -> None:
        self.path = path
        self._column_of = column_of
        self._file: TextIO | None = None
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise _unwritable(path, error) from None

    @property
    def written(self) -> bool:
        return self._file is not None

    def __call__(self, reject: Reject) -> None:
        if self._file is None:
            try:
                self._file = self.path.open("w", encoding="utf-8")
            except OSError as error:
                raise _unwritable(self.path, error) from None
        entry = {
            **({"file": reject.part} if reject.part else {}),
            "line": reject.line,
            "field": reject.field,
            "reason": reject.errors[0].message,
            "column": self._column_of(reject.field),
            "errors": [{"field": e.field, "reason": e.message} for e in reject.errors],
        }
        self._file.write(json.dumps(entry) + "\n")

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


def rejects_path_of(file: Path, given: Path | None) -> Path:
    """Raises InvalidInputError where nothing may be written there."""
    name = "stdin" if file.name == "-" else file.absolute().name.translate(_NO_PATTERN)
    path = given or file.with_name(name + REJECTS_ENDING)
    if path.is_dir() or (path.exists() and path.samefile(file)):
        raise InvalidInputError("--rejects", f"{path} is a folder or the file itself")
    return path


def _unwritable(path: Path, error: OSError) -> InvalidInputError:
    return InvalidInputError(
        "--rejects", f"{path} cannot be written ({error.strerror}): name another file"
    )
