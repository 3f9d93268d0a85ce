"""Mapping that the options of a command line give: `--map FIELD=COLUMN` and `--label COLUMN`."""

from collections.abc import Iterable

from msgspec.structs import replace

from commands.imports.mapping.model import FieldMapping, FileMapping, LabelMapping
from domain.cleaning.transaction import CANONICAL_FIELDS
from domain.errors import InvalidInputError


def with_options(
    mapping: FileMapping, entries: Iterable[str] = (), label: str | None = None
) -> FileMapping:
    """`mapping` with the fields and the label of the options, which count more.

    Raises InvalidInputError that lists the possible names.
    """
    given = _parsed(entries)
    if label is not None and label in given.values():
        raise InvalidInputError("--label", f"column {label!r} is mapped to a field as well")
    fields = mapping.fields | {name: FieldMapping(column=col) for name, col in given.items()}
    if label is not None:
        known = mapping.label if mapping.label and mapping.label.column == label else None
        mapping = replace(mapping, label=known or LabelMapping(label))
    return replace(mapping, fields=fields)


def plain_mapping(entries: Iterable[str] = (), label: str | None = None) -> FileMapping:
    """As `with_options`, of the options alone."""
    return with_options(FileMapping(), entries, label)


def _parsed(entries: Iterable[str]) -> dict[str, str]:
    given: dict[str, str] = {}
    for entry in entries:
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
