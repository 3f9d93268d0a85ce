"""`retrace inspect`: what a file is, and a mapping to import it with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from operations.log.inspection import Inspection


def inspect(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="File, folder, pattern, or - for stdin.")
    ],
    write: Annotated[
        Path | None,
        typer.Option(metavar="FILE.yaml", help="Write the proposed mapping there, to edit."),
    ] = None,
    encoding: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Of its text, such as cp1252, where it is not UTF-8."),
    ] = None,
    default_currency: Annotated[
        str | None, typer.Option(metavar="CODE", help="Currency of rows that name none.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Tell what a file is, profile its columns, propose a mapping and show rows as taken."""
    from cli.output import print_result
    from commands.imports.mapping.yaml_file import mapping_text
    from domain.errors import InvalidInputError
    from host.clock import now_us
    from operations.log.inspection import inspect_file
    from runtime.composition.intake import cleaner_for_file
    from runtime.settings import settings_from_environment

    if write is not None and write.exists():
        raise InvalidInputError("--write", f"{write} exists already: name another file")
    cleaner, redact = cleaner_for_file(settings_from_environment(), default_currency)
    found = inspect_file(file, encoding, cleaner, redact, now_us())
    text = mapping_text(found.proposal.mapping)
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
        _show(found, text, f"./retrace ingest {file} --mapping {write or 'FILE.yaml'} --dry-run")


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
        "taken": [asdict(each) for each in found.taken],
    }


def _show(found: Inspection, text: str, following: str) -> None:
    from cli.output import print_table

    print(f"{found.kind}; {found.rows:,} rows read, {found.malformed:,} malformed")
    if found.damage:
        print(f"Damaged: {found.damage}")
    print()
    rows = [
        [
            each.name[:24],
            each.kind or "empty",
            f"{each.missing:,}",
            f"{each.distinct:,}",
            " | ".join((f"{each.least} .. {each.most}",) if each.least else each.examples)[:36],
        ]
        for each in found.profiles
    ]
    print_table(rows, ["column", "type", "missing", "distinct", "values"], ["missing", "distinct"])
    print(f"\nMapping\n\n{text}")
    for field, reason in found.proposal.reasons.items():
        print(f"{field}: {reason}")
    for each in found.proposal.missing:
        print(f"To check: {each}")
    print("\nRows as they would be taken")
    for row in found.taken:
        told = ", ".join(f"{name} {value}" for name, value in row.fields.items())
        print(f"line {row.line}: {'refused, ' + row.refused if row.refused else told}")
    print(f"\nNext: {following}")
