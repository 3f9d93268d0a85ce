"""Columns of ids that a spreadsheet has rounded to fifteen digits, as a sample shows."""

from collections.abc import Iterable, Mapping
from typing import Any

from commands.imports.mapping.binding import Binding
from commands.imports.mapping.fields import IDS
from commands.imports.mapping.values import as_text
from commands.imports.readers.rows import MalformedRow, Row

_KEPT_DIGITS = 15
# By chance, ids end in so many zeros together once in a thousand files.
_LEAST_ZEROS = 3


def damaged_fields(
    sample: Iterable[tuple[int, Row]], binding: Binding
) -> dict[str, tuple[str, ...]]:
    """Field to those of its columns where every long number has nothing but zeros at its end."""
    columns = {field: binding.sources.get(field, ()) for field in IDS}
    found: dict[str, set[str]] = {column: set() for each in columns.values() for column in each}
    for _, row in sample:
        if not isinstance(row, MalformedRow):
            for column, texts in found.items():
                text = _long_number(row.get(column))
                if text is not None:
                    texts.add(text)
    rounded = {column for column, texts in found.items() if _rounded(texts)}
    damaged = {field: tuple(filter(rounded.__contains__, each)) for field, each in columns.items()}
    return {field: each for field, each in damaged.items() if each}


def is_damaged(row: Mapping[str, Any], columns: Iterable[str]) -> bool:
    """Of a row whose columns `damaged_fields` has told."""
    return any(_long_number(row.get(column)) is not None for column in columns)


def _long_number(value: object) -> str | None:
    text = "" if value is None else as_text(value).strip("'\"")
    return text if len(text) > _KEPT_DIGITS and text.isdecimal() else None


def _rounded(texts: set[str]) -> bool:
    zeros = [len(text) - len(text.rstrip("0")) for text in texts]
    return sum(zeros) >= _LEAST_ZEROS and all(
        count >= len(text) - _KEPT_DIGITS for count, text in zip(zeros, texts, strict=True)
    )
