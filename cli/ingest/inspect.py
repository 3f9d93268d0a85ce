"""`retrace inspect`: what a file is, and a mapping to import it with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.file_options import CurrencyOption, EncodingOption

if TYPE_CHECKING:
    from operations.log.inspection import Inspection


_LONGEST_NAME = 24
_COUNTS_WIDTH = 25  # of the columns missing and distinct, and of the gaps
_LEAST_ROOM = 12


def inspect(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="File, folder, pattern, or - for stdin.")
    ],
    write: Annotated[
        Path | None,
        typer.Option(metavar="FILE.yaml", help="Write the proposed mapping there, to edit."),
    ] = None,
    encoding: EncodingOption = None,
    default_currency: CurrencyOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Tell what a file is, profile its columns, propose a mapping and show rows as taken."""
    from cli.output import print_result
    from commands.imports.inspection.text import proposal_text
    from domain.errors import InvalidInputError
    from host.clock import now_us
    from operations.log.inspection import inspect_file
    from runtime.composition.intake import cleaner_for_file
    from runtime.settings import settings_from_environment

    if write is not None and write.exists():
        raise InvalidInputError("--write", f"{write} exists already: name another file")
    cleaner, redact = cleaner_for_file(settings_from_environment(), default_currency)
    found = inspect_file(file, encoding, cleaner, redact, now_us())
    text = proposal_text(found.proposal)
    if write is not None:
        try:
            write.write_text(text, encoding="utf-8")
        except OSError as error:
            raise InvalidInputError(
                "--write", f"{write} cannot be written ({error.strerror}): name another file"
            ) from None
    if as_json:
        print_result(_facts(found, text), "", True)
    else:
        _show(found, text)
        _say_next(found, file, write)


def _facts(found: Inspection, text: str) -> dict[str, Any]:
    from dataclasses import asdict

    return {
        "kind": found.kind,
        "rows": found.rows,
        "malformed": found.malformed,
        "damage": found.damage,
        "columns": [asdict(each) for each in found.profiles],
        "mapping": text,
        "reasons": dict(found.proposal.reasons),
        "missing": list(found.proposal.missing),
        "to_fill_in": [
            {"key": ".".join(each.path), "reason": each.reason} for each in found.proposal.questions
        ],
        "taken": [asdict(each) for each in found.taken],
    }


def _show(found: Inspection, text: str) -> None:
    from cli.output import print_table

    print(f"{found.kind}; {found.rows:,} rows read, {found.malformed:,} malformed")
    if found.damage:
        print(f"Damaged: {found.damage}")
    print()
    names, kinds = (
        max((len(text) for text in texts), default=0)
        for texts in (
            [each.name[:_LONGEST_NAME] for each in found.profiles],
            [each.kind or "empty" for each in found.profiles],
        )
    )
    room = max(_width() - names - kinds - _COUNTS_WIDTH, _LEAST_ROOM)
    rows = [
        [
            each.name[:_LONGEST_NAME],
            each.kind or "empty",
            f"{each.missing:,}",
            f"{each.distinct:,}",
            " | ".join((f"{each.least} .. {each.most}",) if each.least else each.examples)[:room],
        ]
        for each in found.profiles
    ]
    print_table(rows, ["column", "type", "missing", "distinct", "values"], ["missing", "distinct"])
    print(f"\nMapping\n\n{text.rstrip()}")
    if found.taken:
        print("\nRows as they would be taken")
    for row in found.taken:
        told = ", ".join(f"{name} {value}" for name, value in row.fields.items())
        print(_wrapped(f"line {row.line}: {'refused, ' + row.refused if row.refused else told}"))


def _say_next(found: Inspection, file: Path, write: Path | None) -> None:
    """Commands stay on one line, to be copied."""
    named = str(write) if write else "FILE.yaml"
    if found.proposal.shipped and write is None:
        named = found.proposal.shipped
    elif write is None:
        print(f"\nNext, write the mapping to a file: ./retrace inspect {file} --write FILE.yaml")
        return
    first = f" fill in {named}, then" if found.proposal.questions else ""
    print(f"\nNext:{first} ./retrace ingest {file} --mapping {named} --dry-run")


def _wrapped(text: str) -> str:
    import textwrap

    return textwrap.fill(text, _width() - 1, subsequent_indent="  ", break_on_hyphens=False)


def _width() -> int:
    from rich.console import Console

    return max(Console().width, 40)
