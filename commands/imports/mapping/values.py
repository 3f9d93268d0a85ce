"""Values as a mapping takes them from a row: one column, several, a constant, a lookup."""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from commands.imports.mapping.model import FieldMapping
from domain.cleaning.cards import card_number
from domain.cleaning.fields import clean_id
from domain.cleaning.unclean import UncleanError

RowValue = Callable[[Mapping[str, Any], int], Any]
"""Of a row and its line; None where absent. Raises UncleanError."""

OTHERS = "*"
_ID_BYTES = 12
_LONGEST = 40
_WHOLE = re.compile(r"-?\d+\.0+", re.ASCII)


def raw_value(field: FieldMapping, join: str, missing: frozenset[str] | None) -> RowValue:
    """The value before it is looked up or read; `join` stands between several columns, which make
    an id where there are words for a `missing` part of it."""
    if field.constant is not None:
        constant = field.constant
        return lambda _row, _line: constant
    if field.row:
        return row_id
    if field.columns:
        columns, joined = field.columns, join if field.join is None else field.join
        if missing is None:
            return lambda row, _line: _put_together(map(row.get, columns), joined)
        return lambda row, _line: _joined_id(map(row.get, columns), joined, missing)
    column = field.column
    assert column is not None
    return lambda row, _line: row.get(column)


def looked_up(take: RowValue, values: Mapping[str, str], told: bool) -> RowValue:
    """`told` tells whether what is not listed may be named: it is no id of anybody."""
    others = values.get(OTHERS)
    values = {as_text(key): found for key, found in values.items()}

    def value_of(row: Mapping[str, Any], line: int) -> Any:
        taken = take(row, line)
        if taken is None:
            return None
        text = as_text(taken)
        found = values.get(text, others)
        if found is None:
            value = repr(text[:_LONGEST]) if told and not card_number(text) else "a value"
            raise UncleanError(f"has {value}, which the mapping does not list under values")
        return found or None

    return value_of


def _put_together(parts: Iterable[Any], join: str) -> str | None:
    """Absent parts are left out; None where all are."""
    texts = [text for part in parts if part is not None and (text := as_text(part))]
    return join.join(texts) if texts else None


def _joined_id(parts: Iterable[Any], join: str, missing: frozenset[str]) -> str | None:
    """An absent part before another keeps its place (7//3): else it were 7/3 without a third part.

    None where all parts are absent. Raises UncleanError for a part that is damaged.
    """
    texts = [_id_part(part, missing) for part in parts]
    while texts and not texts[-1]:
        texts.pop()
    return join.join(texts) if texts else None


def _id_part(part: Any, missing: frozenset[str]) -> str:
    if part is None:
        return ""
    whole = isinstance(part, int | float | Decimal) and part % 1 == 0
    text = clean_id(part) if whole or isinstance(part, str) else as_text(part)
    return "" if text is None or text in missing else text


def as_text(value: Any) -> str:
    """Trimmed; a whole number as an integer, however the file's format types it."""
    if isinstance(value, str):
        text = value.strip()
        return text.partition(".")[0] if _WHOLE.fullmatch(text) else text
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float | Decimal) and value % 1 == 0:
        return str(int(value))
    return str(value)


def row_id(row: Mapping[str, Any], line: int) -> str:
    """Equal for an equal row at an equal line, whatever the file is named and how it goes on."""
    content = json.dumps([line, row], default=str, separators=(",", ":"))
    return hashlib.blake2b(content.encode(), digest_size=_ID_BYTES).hexdigest()


def unquoted(value: Any, quotes: str) -> Any:
    """Without one pair of `quotes` around it; an empty text is then absent."""
    if quotes and isinstance(value, str):
        text = value.strip()
        if len(text) > 1 and text[0] == text[-1] == quotes:
            return text[1:-1] or None
    return value
