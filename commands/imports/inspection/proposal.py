"""Proposal of a mapping for a file: why each part, and what only a person can tell."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from commands.imports.inspection.evidence import without_offset
from commands.imports.inspection.profile import Profile
from commands.imports.mapping.model import FileMapping

Values = Callable[[str], Sequence[Any]]
"""The values of a column in the sample."""

READ_AS_UTC = "times have no offset and are read as UTC: where they are local, add their zone"
REVERSED = "more than half of the labels are fraud: does the column mean the opposite?"


@dataclass(frozen=True, slots=True)
class Question:
    """What the file does not tell: `value`, with FILL_IN in it, stands at `path` of the mapping."""

    path: tuple[str, ...]
    value: Any
    reason: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """`reasons` are by field; `missing` is what should be checked before an import, `questions`
    what must be answered. `shipped` is the name of the mapping, where it ships."""

    mapping: FileMapping
    reasons: Mapping[str, str]
    missing: tuple[str, ...]
    questions: tuple[Question, ...] = ()
    shipped: str = ""


def shipped_proposal(
    profiles: Sequence[Profile],
    shipped: Mapping[str, FileMapping],
    fits: Callable[[FileMapping], bool],
    values: Values,
) -> Proposal | None:
    """A shipped mapping all of whose columns the file has, the one with the most of them.

    `fits` tells whether rows of the file are taken under a mapping.
    """
    columns = {profile.name for profile in profiles}
    matching = [
        (len(used), name)
        for name, mapping in shipped.items()
        if len(used := _columns_of(mapping)) > 2 and used <= columns and fits(mapping)
    ]
    if not matching:
        return None
    name = max(matching)[1]
    reason = f"The file's columns are those of the mapping {name!r}, which ships"
    return Proposal(
        shipped[name], {"mapping": reason}, _assumed(shipped[name], values), shipped=name
    )


def _columns_of(mapping: FileMapping) -> set[str]:
    used = {mapping.label.column} if mapping.label else set()
    for field in mapping.fields.values():
        used |= set(field.sources)
    return used


def _assumed(mapping: FileMapping, values: Values) -> tuple[str, ...]:
    time = mapping.fields["timestamp"]
    if time.counter is not None:
        return (
            f"the file does not tell when its count of {time.counter.unit}s starts: check"
            f" fields.timestamp.counter.start, which is {time.counter.start}",
        )
    naive = any(without_offset(values(column)) for column in time.sources)
    return (READ_AS_UTC,) if naive and time.zone is None else ()
