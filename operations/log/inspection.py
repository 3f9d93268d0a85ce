"""Inspection of a file: kind and columns, a mapping for it, and rows as they would be taken."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Self

from commands.imports.inspection.by_names import proposal_by_names
from commands.imports.inspection.profile import Profile, profile_of
from commands.imports.inspection.proposal import Proposal, shipped_proposal
from commands.imports.mapping.binding import Binding, bind
from commands.imports.mapping.merge import Merger, second_files
from commands.imports.mapping.model import FileMapping
from commands.imports.mapping.yaml_file import parse_mapping, shipped_names, shipped_text
from commands.imports.readers.files.parts import as_file
from commands.imports.readers.opening import open_rows
from commands.imports.readers.rows import MalformedRow, Row, RowSource
from commands.intake.cleaner import PayloadCleaner
from domain.cleaning.payload import as_payload
from domain.errors import InvalidInputError, InvalidTransactionError
from operations.log.imports import refuse_without_rows

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


@dataclass(frozen=True, slots=True)
class _Cleaning:
    cleaner: PayloadCleaner
    redact: Callable[[str], str]
    now: int


class _Sample:
    """The first rows of a file, and how its columns look in them."""

    def __init__(self, columns: Sequence[str], rows: _Numbered, cleaning: _Cleaning) -> None:
        self.columns, self.rows, self._cleaning = columns, rows, cleaning
        self.formed = [row for _, row in rows if not isinstance(row, MalformedRow)]
        self.profiles = tuple(
            profile_of(name, self.values(name), cleaning.redact) for name in columns
        )

    def values(self, column: str) -> Sequence[Any]:
        return [row.get(column) for row in self.formed]

    def taken(self, mapping: FileMapping, most: int) -> tuple[TakenRow, ...]:
        """The first of them under a mapping. Raises InvalidInputError where columns are missing."""
        binding = bind(self.columns, mapping)
        return tuple(_taken(each, binding, self._cleaning) for each in self.rows[:most])

    def fits(self, mapping: FileMapping) -> bool:
        try:
            return any(not each.refused for each in self.taken(mapping, _TRIED_ROWS))
        except InvalidInputError:
            return False

    def proposal(self, shipped: Mapping[str, FileMapping]) -> Proposal | None:
        return shipped_proposal(self.profiles, shipped, self.fits, self.values)

    def merged(self, mapping: FileMapping, file: Path, encoding: str | None) -> Self | None:
        """With the columns of the second files; None where these are not there or do not fit."""
        if not all((file.parent / each.file).is_file() for each in mapping.merge):
            return None
        try:
            with second_files(mapping, file, encoding) as seconds:
                merger = Merger(self.columns, seconds, file.name)
                rows = [(line, merger.merged(row)) for line, row in self.rows]
        except InvalidInputError:
            return None
        return type(self)(merger.columns, rows, self._cleaning)


def inspect_file(
    file: Path,
    encoding: str | None,
    cleaner: PayloadCleaner,
    redact: Callable[[str], str],
    now: int,
) -> Inspection:
    """Reads the first rows. Raises InvalidInputError naming what cannot be read."""
    with as_file(file) as path, closing(open_rows(path, encoding)) as source:
        rows, damage = _first_rows(source)
        columns, kind = source.columns, source.kind
    sample = _Sample(columns, rows, _Cleaning(cleaner, redact, now))
    shipped = {name: parse_mapping(shipped_text(name), name) for name in shipped_names()}
    proposal = sample.proposal({name: each for name, each in shipped.items() if not each.merge})
    for name, mapping in shipped.items():
        if proposal is None and mapping.merge:
            merged = sample.merged(mapping, file, encoding)
            proposal = merged.proposal({name: mapping}) if merged else None
            sample = merged if merged and proposal else sample
    proposal = proposal or proposal_by_names(sample.profiles, sample.values, now)
    taken: tuple[TakenRow, ...] = ()
    asked = any(question.path[0] == "fields" for question in proposal.questions)
    if asked and not damage:
        refuse_without_rows(rows, source.part)
    if not asked:
        taken = sample.taken(proposal.mapping, _SHOWN_ROWS)
    malformed = len(sample.rows) - len(sample.formed)
    return Inspection(kind, len(rows), malformed, sample.profiles, proposal, taken, damage)


def _first_rows(source: RowSource) -> tuple[_Numbered, str]:
    found: _Numbered = []
    try:
        found.extend(islice((row for batch in source.batches() for row in batch), SAMPLE_ROWS))
    except InvalidInputError as error:
        return found, error.message
    return found, ""


def _taken(numbered: tuple[int, Row], binding: Binding, cleaning: _Cleaning) -> TakenRow:
    line, row = numbered
    if isinstance(row, MalformedRow):
        return TakenRow(line, {}, row.reason)
    clean = cleaning.cleaner.clean
    try:
        transaction = clean(binding.payload(row, line), cleaning.now, binding.style)
        fields = as_payload(transaction)
        fields.pop("attributes", None)
        if binding.label is not None:
            fields["label"] = _LABELS[binding.label_of(row)]
    except InvalidTransactionError as error:
        told = "; ".join(f"{each.field}: {each.message}" for each in error.errors)
        return TakenRow(line, {}, cleaning.redact(told))
    except ValueError as error:
        return TakenRow(line, {}, f"label: {error}")
    return TakenRow(line, fields)
