"""One row, read under a mapping of some of its fields."""

from collections.abc import Mapping
from typing import Any

from commands.imports.mapping.binding import bind
from commands.imports.mapping.model import FieldMapping, FileMapping

BASE = {
    "transaction_id": FieldMapping(column="id"),
    "timestamp": FieldMapping(column="t"),
    "amount": FieldMapping(column="a"),
}
ROW = {"id": "1", "t": "2024-01-01T00:00:00Z", "a": "5"}


def read(row: Mapping[str, Any], line: int = 1, quotes: str = "", **fields: FieldMapping) -> Any:
    row = {**ROW, **row}
    mapping = FileMapping(fields={**BASE, **fields}, quotes=quotes)
    return bind(list(row), mapping).payload(row, line)
