"""Owns `retrace ingest`: options and the servers behind it; importing is commands.imports's."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from cli.ingest.progress import ImportProgress
    from commands.imports import ImportPorts, ImportRows, ImportSummary, Reject, RowSource
    from eventlog.dead_letters import SetAside

_INTERRUPTED = 130
_CLOSING_SECONDS = 10.0


def register(app: typer.Typer) -> None:
    app.command()(ingest)


def ingest(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV, NDJSON or Parquet.")],
    mapping: Annotated[
        list[str] | None,
        typer.Option(
            "--map", metavar="FIELD=COLUMN", help="Which column holds a field. Repeatable."
        ),
    ] = None,
    label: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="Column with 1 for fraud and 0 for genuine."),
    ] = None,
    label_delay: Annotated[
        str, typer.Option(metavar="SPAN", help="How long after its transaction a label is known.")
    ] = "7d",
    rate: Annotated[
        float,
        typer.Option(
            min=0, help="Replay in scaled time: seconds of history in a second. 0: at full speed."
        ),
    ] = 0.0,
    score: Annotated[
        bool, typer.Option("--score", help="Rehearse: every row is decided, at its own time.")
    ] = False,
    rejects: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Rows not taken. [default: FILE.rejects.ndjson]"),
    ] = None,
    default_currency: Annotated[
        str | None, typer.Option(metavar="CODE", help="Currency of rows that name none.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Read that many rows at most.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Lay down the rows of a file as history: cleaned, labelled, undecided unless --score."""
    from cli.ingest.progress import ImportProgress, print_summary
    from commands.imports import ImportRows, ImportSummary, bind, open_rows
    from commands.imports.durations import parse_duration
    from commands.imports.origin import correlation_of, name_of
    from commands.imports.rejects import rejects_path_of

    started = time.monotonic()
    delay = parse_duration(label_delay, "--label-delay")
    source = open_rows(file)
    with ExitStack() as stack:
        stack.callback(source.close)
        command = ImportRows(
            name=name_of(file),
            correlation_id=correlation_of(file),
            binding=bind(source.columns, mapping or [], label),
            label_delay=delay,
            score=score,
            limit=limit,
        )
        rejects_path = rejects_path_of(file, rejects)
        progress = stack.enter_context(ImportProgress(source.fraction))
        summary = ImportSummary()
        ports = stack.enter_context(_ports(command, default_currency, rate, rejects_path, progress))
        interrupted = _run(command, source, ports, summary)
    print_summary(command, summary, time.monotonic() - started, rejects_path, interrupted, as_json)
    if interrupted:
        raise typer.Exit(_INTERRUPTED)


def _run(
    command: ImportRows, source: RowSource, ports: ImportPorts, summary: ImportSummary
) -> bool:
    """True where Ctrl-C ended it; what was appended until then is in."""
    from commands.imports import import_rows
    from domain.errors import RetraceError

    # The rows are no cycles: looking for them again and again takes a tenth of the time.
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
    try:
        import_rows(command, source, ports, summary)
        return False
    except KeyboardInterrupt:
        summary.rows = summary.accepted + summary.rejected
        ports.log.flush(_CLOSING_SECONDS)
        return True
    except RetraceError:
        if summary.accepted:
            sent = f"{summary.accepted:,} rows were sent before this; running it again is safe."
            typer.echo(sent, err=True)
        raise


@contextmanager
def _ports(
    command: ImportRows,
    currency: str | None,
    rate: float,
    rejects_path: Path,
    progress: ImportProgress,
) -> Iterator[ImportPorts]:
    from commands.imports import ImportPorts, Pace, RejectFile
    from eventlog.adapters.kafka import KafkaEventLog
    from eventlog.dead_letters import dead_letter_event
    from eventlog.settings import KafkaSettings
    from eventlog.topics import DEAD_LETTERS
    from runtime.composition.intake import edge_for_file
    from runtime.settings import load_settings

    # Laying down history gives way to decisions, where they share cores.
    os.setpriority(os.PRIO_PROCESS, 0, max(5, os.getpriority(os.PRIO_PROCESS, 0)))
    settings = load_settings()
    edge, redact = edge_for_file(settings, currency)
    log = KafkaEventLog(KafkaSettings(settings.kafka_bootstrap_servers))
    with ExitStack() as stack:
        stack.callback(log.close)
        rejects = RejectFile(rejects_path, command.binding.column)
        stack.callback(rejects.close)

        def reject(found: Reject) -> None:
            rejects(found)
            letter = dead_letter_event(
                _set_aside(found, command.correlation_id), settings.dead_letter_key, _now()
            )
            log.append_nowait(DEAD_LETTERS, None, letter)

        yield ImportPorts(
            edge=edge,
            log=log,
            clock=_now,
            redact=redact,
            reject=reject,
            spool=settings.state_dir,
            pace=Pace(rate, time.monotonic, progress.sleep) if rate else None,
            progress=progress.show,
        )


def _set_aside(reject: Reject, origin: str) -> SetAside:
    from eventlog.dead_letters import SetAside

    return SetAside(
        reader="import",
        origin=origin,
        partition=0,
        offset=reject.line,
        reason=reject.reason,
        original=reject.original.encode("utf-8", "replace"),
        field=reject.field,
    )


def _now() -> int:
    return time.time_ns() // 1000
