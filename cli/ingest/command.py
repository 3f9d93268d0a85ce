"""`retrace ingest`: the rows of a file become history in the log."""

import time
from pathlib import Path
from typing import Annotated

import typer

from cli.file_options import (
    CurrencyOption,
    EncodingOption,
    LabelDelayOption,
    LabelOption,
    MapOption,
    MappingOption,
    UnlabelledOption,
)
from cli.ingest.inspect import inspect

_INTERRUPTED = 130


def register(app: typer.Typer) -> None:
    app.command()(ingest)
    app.command()(mappings)
    app.command()(inspect)


def ingest(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="File, folder, pattern, or - for stdin.")
    ],
    mapping: MapOption = None,
    mapping_file: MappingOption = None,
    label: LabelOption = None,
    label_delay: LabelDelayOption = "7d",
    unlabelled: UnlabelledOption = None,
    rate: Annotated[
        float,
        typer.Option(min=0, help="Seconds of history that pass in one second; 0 is full speed."),
    ] = 0.0,
    score: Annotated[
        bool, typer.Option("--score", help="Rehearsal: decide every row, at its own time.")
    ] = False,
    rejects: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH", help="Where rejected rows go.", show_default="FILE.rejects.ndjson"
        ),
    ] = None,
    default_currency: CurrencyOption = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Read at most this many rows.")] = None,
    encoding: EncodingOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Do all but append; needs no server.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Import the rows of a file as history: cleaned, labelled, and not decided unless --score."""
    from cli.ingest.progress import ImportProgress, print_summary
    from commands.imports.summary import ImportSummary
    from domain.errors import RetraceError
    from operations.log.imports import ImportOptions, opened_import, run_import
    from runtime.composition.imports import open_import_ports
    from runtime.settings import load_settings, settings_from_environment

    started = time.monotonic()
    options = ImportOptions(
        file=file,
        mapping=mapping or (),
        mapping_file=mapping_file,
        label=label,
        label_delay=label_delay,
        score=score,
        rejects=rejects,
        limit=limit,
        encoding=encoding,
        unlabelled=unlabelled or (),
    )
    summary = ImportSummary()

    def show(stopped: bool) -> None:
        seconds, path = time.monotonic() - started, opened.rejects_path
        print_summary(opened.command, summary, seconds, path, stopped, as_json, dry_run)

    with (
        opened_import(options) as opened,
        ImportProgress(opened.rows.fraction) as progress,
        open_import_ports(
            settings_from_environment() if dry_run else load_settings(),
            opened,
            default_currency,
            rate,
            progress.sleep,
            progress.show,
            dry_run,
        ) as ports,
    ):
        try:
            interrupted = run_import(opened, ports, summary)
        except RetraceError:
            if summary.rows:
                show(False)
            if summary.accepted and not dry_run:
                sent = f"{summary.accepted:,} rows were sent before this error."
                typer.echo(f"{sent} It is safe to run the command again.", err=True)
            raise
    show(interrupted)
    if interrupted:
        raise typer.Exit(_INTERRUPTED)


def mappings(
    name: Annotated[str | None, typer.Argument(help="Print this one, to edit a copy.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """List the mappings of public data sets that ship, for `retrace ingest --mapping NAME`."""
    from cli.output import print_result
    from commands.imports.mapping.yaml_file import parse_mapping, shipped_names, shipped_text

    if name is not None:
        text = shipped_text(name)
        print_result({"name": name, "yaml": text}, text.rstrip(), as_json)
        return
    found = {each: parse_mapping(shipped_text(each), each).description for each in shipped_names()}
    width = max(map(len, found))
    print_result(
        found, "\n".join(f"{each:{width}}  {told}" for each, told in found.items()), as_json
    )
