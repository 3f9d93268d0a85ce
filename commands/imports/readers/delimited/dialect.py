"""Dialect of a CSV file, found in its first lines: delimiter, quote, header."""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass

DELIMITERS = ",;\t|^~\x01\x1f§¦"
_ENOUGH = 3
_SEPARATOR_LINE = re.compile(r"sep=(.)\s*", re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?[$€£]?\d[\d.,:/ T+-]*(?:[eE][+-]?\d+)?Z?")


@dataclass(frozen=True, slots=True)
class Dialect:
    """`names` are None where the first line is a row. `first_line` is that of the header or, where
    there is none, of the first row, from 1. `digits` are the columns in which all values begin
    like a number: they tell a row from a line that belongs to a longer value. `numbers` are those
    of them that enough rows show: none of their values has a line break within.
    """

    delimiter: str
    quote: str
    names: tuple[str, ...] | None
    width: int
    first_line: int
    digits: tuple[int, ...] = ()
    numbers: tuple[int, ...] = ()

    def split(self, line: str) -> list[str]:
        """Values as they are, however its quotes are."""
        if self.quote not in line:
            return line.split(self.delimiter)
        read = csv.reader([line], delimiter=self.delimiter, quotechar=self.quote)
        try:
            return next(read, [])
        except csv.Error:
            return line.split(self.delimiter)

    def like_row(self, line: str) -> bool:
        """Whether the line reads as a row of its own."""
        values = self.split(line)
        if len(values) != self.width:
            return False
        given = [value for at in self.digits if (value := values[at].strip())]
        return bool(given or not self.digits) and all(map(begins_like_number, given))

    def well_formed(self, line: str) -> bool:
        """Whether each quote of the line is closed in it."""
        return line.count(self.quote) % 2 == 0 and self.quote * 3 not in line


def find_dialect(lines: Sequence[str]) -> Dialect | None:
    """From the first lines of a file, without their ends; None where none of them holds text."""
    numbered = [(at, line) for at, line in enumerate(lines, 1) if line.strip()]
    if not numbered:
        return None
    stated = _SEPARATOR_LINE.fullmatch(numbered[0][1])
    if stated and len(numbered) > 1:
        numbered = numbered[1:]
    first, header = numbered[0]
    sample = [line for _, line in numbered[1:500]]
    delimiter = stated.group(1) if stated else _delimiter(header, sample)
    quote = _quote(delimiter, sample)
    found = Dialect(delimiter, quote, None, 0, first)
    names = found.split(header)
    whole = filter(found.well_formed, sample)
    rows = [values for line in whole if len(values := found.split(line)) == len(names)]
    headless = _is_data(names)
    if headless:
        rows.append(names)
    digits = _digits(rows)
    numbers = digits if len(rows) >= _ENOUGH else ()
    header_names = None if headless else tuple(names)
    return Dialect(delimiter, quote, header_names, len(names), first, digits, numbers)


def _delimiter(header: str, sample: Sequence[str]) -> str:
    """The one by which most lines have as many values as the header, and the most of them."""

    def fit(delimiter: str) -> tuple[bool, float, int]:
        trial = Dialect(delimiter, '"', None, 0, 0)
        width = len(trial.split(header))
        same = sum(len(trial.split(line)) == width for line in sample[:100])
        share = same / len(sample[:100]) if sample else 1.0
        return width > 1, round(share, 1), width

    return max(DELIMITERS, key=fit)


def _quote(delimiter: str, sample: Sequence[str]) -> str:
    """The apostrophe where a column has each value between two of them."""
    if not any("'" in line for line in sample) or any('"' in line for line in sample):
        return '"'
    rows = [line.split(delimiter) for line in sample]
    for column in zip(*rows, strict=False):
        if all(len(value) > 1 and value[0] == value[-1] == "'" for value in map(str.strip, column)):
            return "'"
    return '"'


def _is_data(names: Sequence[str]) -> bool:
    """Half of the first line's values are numbers or times, and they do not count the columns."""
    values = [name.strip() for name in names]
    numbers = [value for value in values if _NUMBER.fullmatch(value)]
    counting = [str(n) for n in range(len(values) + 1)]
    counted = [value for value in values if value] in (counting[:-1], counting[1:])
    return len(values) > 1 and len(numbers) * 2 >= len(values) and not counted


def _digits(rows: Sequence[Sequence[str]]) -> tuple[int, ...]:
    """Columns in which nine values of ten begin like a number: some of the sample is damaged."""
    found = []
    for at, column in enumerate(zip(*rows, strict=True)):
        given = [value for value in column if value.strip()]
        if given and sum(map(begins_like_number, given)) * 10 >= len(given) * 9:
            found.append(at)
    return tuple(found)


def begins_like_number(value: str) -> bool:
    return value.lstrip(" \"'$€£+-.(")[:1].isdigit()
