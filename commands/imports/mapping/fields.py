"""Reading of one field as its mapping states it."""

from collections.abc import Callable

from commands.imports.mapping.model import FieldMapping
from commands.imports.mapping.times import moment_value
from commands.imports.mapping.values import RowValue, looked_up, raw_value
from domain.cleaning.transaction import ENTITY_IDS

_JOINS = {"timestamp": " "}
_JOIN = "/"
IDS = ("transaction_id", *ENTITY_IDS)
_NAMED = ("currency", "channel", "country", "mcc")


def field_value(
    name: str, field: FieldMapping, missing: frozenset[str], note: Callable[[str], None]
) -> RowValue:
    """`missing` are words for no value; `note` takes what the summary must tell of a row."""
    take = raw_value(field, _JOINS.get(name, _JOIN), missing if name in IDS else None)
    if field.values is not None:
        take = looked_up(take, field.values, name in _NAMED)
    return moment_value(take, field, note) if name == "timestamp" else take
