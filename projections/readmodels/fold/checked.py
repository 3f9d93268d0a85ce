"""What PostgreSQL can hold: every function raises ValueError naming the field that it cannot."""

from collections.abc import Sequence
from typing import Any

import msgspec

from eventlog.port import Position

Row = tuple[Any, ...]

# Three of these fit into one entry of a B-tree, whose limit is 2704 bytes.
KEY_BYTES = 800
_INT64 = 2**63
_to_json = msgspec.json.Encoder(order="deterministic").encode


def source_of(position: Position) -> Row:
    return position.topic, position.partition, position.offset


def checked(columns: Sequence[str], row: Row) -> Row:
    text = "".join([value for value in row if type(value) is str])
    numbers = [value for value in row if type(value) is int]
    # A row with little text holds no key that is too long: nearly all pass here.
    harmless = KEY_BYTES if text.isascii() else KEY_BYTES // 4
    fits = len(text) <= harmless and min(numbers) >= -_INT64 and max(numbers) < _INT64
    if not fits or "\0" in text:
        _look_closely(columns, row)
    return row


def _look_closely(columns: Sequence[str], row: Row) -> None:
    for index, value in enumerate(row):
        kind = type(value)
        if kind is str:
            if "\0" in value:
                raise ValueError(f"{columns[index]}: holds a NUL character")
            if len(value) > KEY_BYTES // 4 and columns[index].endswith("_id"):
                short(columns[index], value)
        elif kind is int and not -_INT64 <= value < _INT64:
            raise ValueError(f"{columns[index]}: {value} is beyond 64 bits")


def short(column: str, value: str) -> None:
    # The event id of a label is in the key of its own table alone.
    most = 2 * KEY_BYTES if column == "event_id" else KEY_BYTES
    if len(value.encode()) > most:
        raise ValueError(f"{column}: longer than {most} bytes")


def texts(values: list[str]) -> list[str]:
    if any("\0" in value for value in values):
        raise ValueError("reasons, flags or ids: hold a NUL character")
    return values


def json_text(value: dict[str, Any]) -> str:
    text = _to_json(value).decode()
    if "\\u0000" in text:
        raise ValueError("versions, timings_us or words: hold a NUL character")
    return text
