"""Columns of ids that a spreadsheet has rounded to fifteen digits, as a sample shows."""

from collections.abc import Iterable, Mapping
from typing import Any

from commands.imports.mapping.binding import Binding
from commands.imports.mapping.values import as_text
from commands.imports.readers.rows import MalformedRow, Row

_IDS = ("transaction_id", "card_id", "customer_id", "merchant_id", "device_id")
_KEPT_DIGITS = 15
# By chance, ids end in so many zeros together once in a thousand files.
_LEAST_ZEROS = 3


def damaged_fields(sample: Iterable[tuple[int, Row]], binding: Binding) -> dict[str, str]:
    """Field to column where every long number of the column has nothing but zeros at its end."""
    columns = {field: binding.columns[field] for field in _IDS if field in binding.columns}
    found: dict[str, set[str]] = {field: set() for field in columns}
    for _, row in sample:
        if not isinstance(row, MalformedRow):
            for field, column in columns.items():
                text = _long_number(row.get(column))
                if text is not None:
                    found[field].add(text)
    return {field: columns[field] for field, texts in found.items() if _rounded(texts)}


def is_damaged(row: Mapping[str, Any], column: str) -> bool:
    """Of a row whose column `damaged_fields` has told."""
    return _long_number(row.get(column)) is not None


def _long_number(value: object) -> str | None:
    text = "" if value is None else as_text(value)
    return text if len(text) > _KEPT_DIGITS and text.isdecimal() else None


def _rounded(texts: set[str]) -> bool:
    zeros = [len(text) - len(text.rstrip("0")) for text in texts]
    return sum(zeros) >= _LEAST_ZEROS and all(
        count >= len(text) - _KEPT_DIGITS for count, text in zip(zeros, texts, strict=True)
    )
