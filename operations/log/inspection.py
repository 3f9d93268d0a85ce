"""Inspection of a file: kind and columns, a mapping for it, and rows as they would be taken."""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from commands.imports.inspection.by_names import proposal_by_names
from commands.imports.inspection.profile import Profile, profile_of
from commands.imports.inspection.proposal import Proposal, shipped_proposal
from commands.imports.mapping.binding import Binding, bind
from commands.imports.mapping.model import FileMapping
from commands.imports.mapping.yaml_file import load_mapping, shipped_names
from commands.imports.readers.files.parts import as_file
from commands.imports.readers.opening import open_rows
from commands.imports.readers.rows import MalformedRow, Row, RowSource
from commands.intake.cleaner import PayloadCleaner
from domain.cleaning.payload import as_payload
from domain.errors import InvalidInputError, InvalidTransactionError

SAMPLE_ROWS = 10_000
_SHOWN_ROWS = 5
_TRIED_ROWS = 50
_LABELS = {None: "not labelled", 0: "genuine", 1: "fraud"}
_Numbered = list[tuple[int, Row]]


@dataclass(frozen=True, slots=True)
class TakenRow:
    """`fields` are those of the transaction, with its label; `refused` says why there is none."""

    line: int
    fields: dict[str, Any]
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Inspection:
    """`rows` and `malformed` count the sample; `damage` is where it ended before its end."""

    kind: str
    rows: int
    malformed: int
    profiles: tuple[Profile, ...]
    proposal: Proposal
    taken: tuple[TakenRow, ...]
    damage: str


def inspect_file(
    file: Path,
    encoding: str | None,
    cleaner: PayloadCleaner,
    redact: Callable[[str], str],
    now: int,
) -> Inspection:
    """Reads the first rows. Raises InvalidInputError naming what cannot be read."""
    with as_file(file) as path, closing(open_rows(path, encoding)) as source:
        sample, damage = _sample(source)
        columns, kind = source.columns, source.kind
    rows = [row for _, row in sample if not isinstance(row, MalformedRow)]
    profiles = tuple(profile_of(name, [row.get(name) for row in rows], redact) for name in columns)

    def fits(mapping: FileMapping) -> bool:
        try:
            binding = bind(columns, mapping)
        except InvalidInputError:
            return False
        tried = [_taken(each, binding, cleaner, now, redact) for each in sample[:_TRIED_ROWS]]
        return any(not each.refused for each in tried)

    def values(column: str) -> Sequence[Any]:
        return [row.get(column) for row in rows]

    shipped = {name: load_mapping(name) for name in shipped_names()}
    proposal = shipped_proposal(profiles, shipped, fits, values)
    proposal = proposal or proposal_by_names(profiles, values, now)
    taken: tuple[TakenRow, ...] = ()
    if not any(question.path[0] == "fields" for question in proposal.questions):
        binding = bind(columns, proposal.mapping)
        shown = sample[:_SHOWN_ROWS]
        taken = tuple(_taken(each, binding, cleaner, now, redact) for each in shown)
    malformed = len(sample) - len(rows)
    return Inspection(kind, len(sample), malformed, profiles, proposal, taken, damage)


def _sample(source: RowSource) -> tuple[_Numbered, str]:
    found: _Numbered = []
    try:
        found.extend(islice((row for batch in source.batches() for row in batch), SAMPLE_ROWS))
    except InvalidInputError as error:
        return found, error.message
    return found, ""


def _taken(
    numbered: tuple[int, Row],
    binding: Binding,
    cleaner: PayloadCleaner,
    now: int,
    redact: Callable[[str], str],
) -> TakenRow:
    line, row = numbered
    if isinstance(row, MalformedRow):
        return TakenRow(line, {}, row.reason)
    try:
        transaction = cleaner.clean(binding.payload(row, line), now, binding.style)
        fields = as_payload(transaction)
        fields.pop("attributes", None)
        if binding.label is not None:
            fields["label"] = _LABELS[binding.label_of(row)]
    except InvalidTransactionError as error:
        told = "; ".join(f"{each.field}: {each.message}" for each in error.errors)
        return TakenRow(line, {}, redact(told))
    except ValueError as error:
        return TakenRow(line, {}, f"label: {error}")
    return TakenRow(line, fields)
