"""Binding of a file's columns to canonical fields."""

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from domain.cleaning.attributes import given_attributes
from domain.cleaning.transaction import CANONICAL_FIELDS
from domain.cleaning.unclean import UncleanError
from domain.errors import InvalidInputError

_REQUIRED = ("transaction_id", "timestamp", "amount")


@dataclass(frozen=True, slots=True)
class Binding:
    """`fields` are (canonical, column); every other column but the label joins the attributes."""

    fields: tuple[tuple[str, str], ...]
    label: str | None
    used: frozenset[str]

    def payload(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The payload that cleaning takes. Absent values stay absent; the label is never in it."""
        get = row.get
        payload = {name: get(column) for name, column in self.fields}
        used = self.used
        extra = {k: value for k, value in row.items() if k not in used and value is not None}
        if extra:
            _join(payload, extra)
        return payload

    def column(self, field: str) -> str:
        """The column that fills a field, for messages about it."""
        return dict(self.fields).get(field, field)


def bind(columns: Sequence[str], mapping: Iterable[str], label: str | None = None) -> Binding:
    """`mapping` holds `canonical=COLUMN`; a column that has a canonical name needs no entry.

    Raises InvalidInputError that lists the possible names.
    """
    given = _parsed(mapping)
    for column in [*given.values(), *([label] if label is not None else [])]:
        if column not in columns:
            option = "--label" if column == label else "--map"
            raise InvalidInputError(
                option, f"no column {column!r} in the file; it has {', '.join(columns)}"
            )
    fields = given | {name: name for name in CANONICAL_FIELDS if name in columns} | given
    if label is not None:
        fields = {name: column for name, column in fields.items() if column != label}
        if label in given.values():
            raise InvalidInputError("--label", f"column {label!r} is mapped to a field as well")
    for name in _REQUIRED:
        if name not in fields:
            raise InvalidInputError(
                "--map",
                f"no column is named {name}: add --map {name}=COLUMN, "
                f"with COLUMN one of {', '.join(columns)}",
            )
    used = frozenset(fields.values()) | ({label} if label is not None else set())
    return Binding(tuple(fields.items()), label, used)


def _parsed(mapping: Iterable[str]) -> dict[str, str]:
    given: dict[str, str] = {}
    for entry in mapping:
        name, equals, column = (part.strip() for part in entry.partition("="))
        if not equals or not column:
            raise InvalidInputError("--map", f"expected canonical=COLUMN, not {entry!r}")
        if name not in CANONICAL_FIELDS:
            raise InvalidInputError(
                "--map", f"{name!r} is not a field; possible are {', '.join(CANONICAL_FIELDS)}"
            )
        if name in given:
            raise InvalidInputError("--map", f"{name} is given twice")
        given[name] = column
    return given


def _join(payload: dict[str, Any], extra: dict[str, Any]) -> None:
    """Beside an attributes column its object is kept whole; a column never replaces part of it."""
    given = payload.get("attributes")
    if given is None:
        payload["attributes"] = extra
        return
    # Cleaning adds unknown names to the object given, and tells where one is given twice.
    hidden = {name: value for name, value in extra.items() if name in CANONICAL_FIELDS}
    payload.update({name: value for name, value in extra.items() if name not in hidden})
    if hidden:
        with contextlib.suppress(UncleanError):  # cleaning will refuse it
            payload["attributes"] = {**hidden, **given_attributes(given)}
