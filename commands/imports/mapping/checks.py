"""Checks of a mapping that its types cannot express. Each raises ValueError saying what to do."""

from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from commands.imports.mapping.model import FieldMapping, FileMapping
from domain.times import from_rfc3339

_TIME_ALONE = ("counter", "order", "format", "zone")
_AMOUNT_ALONE = ("decimal", "round")
_NO_VALUES = ("timestamp", "amount", "attributes")


def check_field(name: str, field: FieldMapping) -> None:
    sources = [
        key for key in ("column", "columns", "constant", "row") if getattr(field, key) not in _UNSET
    ]
    if len(sources) != 1:
        given = " and ".join(sources) or "none"
        raise ValueError(f"needs exactly one of column, columns, constant, row, not {given}")
    _only(name, field, "timestamp", _TIME_ALONE)
    _only(name, field, "amount", _AMOUNT_ALONE)
    if field.row and name != "transaction_id":
        raise ValueError("row is for transaction_id alone")
    if field.values is not None and name in _NO_VALUES:
        raise ValueError(f"values is not for {name}")
    if field.join is not None and not field.columns:
        raise ValueError("join is for columns")
    if name == "timestamp":
        _check_time(field)


_UNSET = (None, (), False)


def check_mapping(mapping: FileMapping) -> None:
    if len(mapping.quotes) > 1:
        raise ValueError("quotes: expected one sign")
    for second in mapping.merge:
        if not second.file or not second.on:
            raise ValueError("merge: needs file, and on with a column of each of the two files")
    used = {column for field in mapping.fields.values() for column in field.sources}
    label = {mapping.label.column} if mapping.label else set()
    for name in sorted(used & label):
        raise ValueError(f"label: the column {name!r} is mapped to a field as well")
    for name in sorted((used | label) & set(mapping.ignore)):
        raise ValueError(f"ignore: the column {name!r} is mapped as well")


def _only(name: str, field: FieldMapping, owner: str, keys: tuple[str, ...]) -> None:
    for key in keys:
        if name != owner and getattr(field, key) not in _UNSET:
            raise ValueError(f"{key} is for {owner} alone")


def _check_time(field: FieldMapping) -> None:
    ways = [key for key in ("counter", "order", "format") if getattr(field, key) is not None]
    if len(ways) > 1:
        raise ValueError(f"needs one of counter, order, format, not {' and '.join(ways)}")
    if field.counter is not None:
        if field.zone is not None:
            raise ValueError("a counter has no zone: write its start with an offset")
        try:
            from_rfc3339(field.counter.start)
        except ValueError:
            raise ValueError("counter.start: expected a time like 2019-01-01T00:00:00Z") from None
    if field.zone is not None:
        try:
            ZoneInfo(field.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(
                f"zone: {field.zone!r} is no time zone such as Europe/Berlin"
            ) from None
    if field.format is not None:
        if "%I" in field.format and "%p" not in field.format:
            raise ValueError("format: %I, an hour of twelve, needs %p to tell AM from PM")
        try:
            written = datetime(2019, 11, 23, 14, 5, 6).strftime(field.format)  # noqa: DTZ001
            datetime.strptime(written, field.format)  # noqa: DTZ007
        except ValueError as error:
            raise ValueError(f"format: {error}") from None
