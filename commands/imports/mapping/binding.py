"""Binding of a mapping to the columns of one file: from a row to the payload that is cleaned."""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from commands.imports.mapping.fields import field_value
from commands.imports.mapping.labels import LabelReader
from commands.imports.mapping.model import FieldMapping, FileMapping
from commands.imports.mapping.values import OTHERS, RowValue, unquoted
from domain.cleaning.absent import USUAL, AbsentWords, word_cases
from domain.cleaning.attributes import given_attributes
from domain.cleaning.transaction import CANONICAL_FIELDS
from domain.cleaning.unclean import UncleanError
from domain.errors import FieldError, InvalidInputError, InvalidTransactionError
from domain.money import AmountStyle

_REQUIRED = ("transaction_id", "timestamp", "amount")


@dataclass(frozen=True, slots=True)
class Binding:
    """`plain` are (canonical, column), `made` are fields that take more than one column as it is.

    Every other column but those used, ignored or of the label joins the attributes, none where
    `others` is false. `style` is
    how amounts are written; `missing` and `placeholders` replace the usual words. `notes` is what
    the summary must tell of the row that was read last.
    """

    plain: tuple[tuple[str, str], ...]
    made: tuple[tuple[str, RowValue], ...]
    label: LabelReader | None
    used: frozenset[str]
    sources: Mapping[str, tuple[str, ...]]
    quotes: str = ""
    style: AmountStyle = AmountStyle()  # noqa: RUF009
    missing: frozenset[str] | None = None
    placeholders: frozenset[str] | None = None
    notes: list[str] = field(default_factory=list)
    others: bool = True

    def payload(self, row: Mapping[str, Any], line: int = 0) -> dict[str, Any]:
        """The payload that cleaning takes. Absent values stay absent; the label is never in it.

        Raises InvalidTransactionError naming the fields that the mapping cannot read.
        """
        if self.quotes:
            row = {name: unquoted(value, self.quotes) for name, value in row.items()}
        get = row.get
        payload = {name: get(column) for name, column in self.plain}
        if self.made:
            self.notes.clear()
            _make(payload, self.made, row, line)
        if not self.others:
            return payload
        used = self.used
        extra = {k: v for k, v in row.items() if k not in used and v is not None and v != ""}
        if extra:
            _join(payload, extra)
        return payload

    def label_of(self, row: Mapping[str, Any]) -> int | None:
        """1 for fraud, 0 for genuine, None for not labelled. Raises ValueError."""
        if self.label is None:
            return None
        return self.label(unquoted(row.get(self.label.column), self.quotes))

    def words(self, usual: AbsentWords) -> AbsentWords:
        """Those of the mapping, and `usual` ones where it gives none."""
        return AbsentWords(
            usual.missing if self.missing is None else self.missing,
            usual.placeholders if self.placeholders is None else self.placeholders,
        )

    def column(self, field: str) -> str:
        """The column or columns that fill a field, for messages about it."""
        return ", ".join(self.sources.get(field, ())) or field


def bind(columns: Sequence[str], mapping: FileMapping, option: str = "--map") -> Binding:
    """`option` is the one that gave the mapping, for errors.

    Raises InvalidInputError that lists the possible names.
    """
    label = mapping.label.column if mapping.label else None
    _check_columns(columns, mapping, label, option)
    taken = {*mapping.ignore, *([label] if label is not None else [])}
    own = {
        name: FieldMapping(column=name)
        for name in CANONICAL_FIELDS
        if name in columns and name not in taken
    }
    fields = mapping.fields | own | mapping.fields
    for name in _REQUIRED:
        if name not in fields:
            entry = f"--map {name}=COLUMN" if option == "--map" else f"fields.{name}: COLUMN"
            raise InvalidInputError(
                option,
                f"no column is named {name}: add {entry}, with COLUMN one of {', '.join(columns)}",
            )
    missing = None if mapping.missing is None else word_cases(mapping.missing)
    absent = USUAL.missing if missing is None else missing
    notes: list[str] = []
    plain, made = [], []
    for name, given in fields.items():
        if given.column is not None and given == FieldMapping(
            column=given.column, decimal=given.decimal, round=given.round
        ):
            plain.append((name, given.column))
        else:
            made.append((name, field_value(name, given, absent, notes.append)))
    filling = {name: given.sources for name, given in fields.items()}
    used = {column for each in filling.values() for column in each}
    return Binding(
        tuple(plain),
        tuple(made),
        LabelReader(mapping.label) if mapping.label else None,
        frozenset(used.union(taken)),
        filling,
        mapping.quotes,
        AmountStyle(fields["amount"].decimal, fields["amount"].round),
        missing,
        None if mapping.placeholders is None else word_cases(mapping.placeholders),
        notes,
        OTHERS not in mapping.ignore,
    )


def _check_columns(
    columns: Sequence[str], mapping: FileMapping, label: str | None, option: str
) -> None:
    known = set(columns)
    named = [column for each in mapping.fields.values() for column in each.sources]
    for column in [*named, *([label] if label is not None else [])]:
        if column not in known:
            name = "--label" if column == label and option == "--map" else option
            raise InvalidInputError(
                name, f"no column {column!r} in the file; it has {', '.join(columns)}"
            )


def _make(
    payload: dict[str, Any], made: Sequence[tuple[str, RowValue]], row: Mapping[str, Any], line: int
) -> None:
    errors = []
    for name, take in made:
        try:
            payload[name] = take(row, line)
        except UncleanError as error:
            errors.append(FieldError(name, str(error)))
    if errors:
        raise InvalidTransactionError(errors)


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
