"""Progress of an import on stderr, and its summary at the end."""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from cli.ingest.labels import fraud_share, label_facts, months_table, told_of_labels
from domain.times import to_rfc3339

if TYPE_CHECKING:
    from commands.imports.handler import ImportRows
    from commands.imports.summary import ImportSummary

_SLICE_SECONDS = 0.5
_SHOWN_REASONS = 5


class ImportProgress:
    """A bar with rows, rate and rejects; nothing where stderr is no terminal."""

    def __init__(self, fraction: Callable[[], float]) -> None:
        console = Console(stderr=True)
        self._fraction = fraction
        self._started = time.monotonic()
        self._summary: ImportSummary | None = None
        self._bar = Progress(
            TextColumn("{task.fields[rows]:,} rows"),
            BarColumn(),
            TextColumn("{task.percentage:3.0f}% {task.fields[rate]:,.0f}/s"),
            TextColumn("{task.fields[rejected]:,} rejected"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )
        self._task = self._bar.add_task("", total=1.0, rows=0, rate=0.0, rejected=0)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def show(self, summary: ImportSummary) -> None:
        self._summary = summary
        elapsed = max(time.monotonic() - self._started, 1e-9)
        self._bar.update(
            self._task,
            completed=self._fraction(),
            rows=summary.rows,
            rate=summary.rows / elapsed,
            rejected=summary.rejected,
        )

    def sleep(self, seconds: float) -> None:
        """Waits, and shows new figures meanwhile."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(left, _SLICE_SECONDS))
            if self._summary is not None:
                self.show(self._summary)


def print_summary(
    command: ImportRows,
    summary: ImportSummary,
    seconds: float,
    rejects_path: Path,
    interrupted: bool,
    as_json: bool,
    dry_run: bool = False,
) -> None:
    """A JSON object or a table on stdout; what to do next on stderr."""
    rejects_file = str(rejects_path) if summary.rejected else None
    figures: dict[str, Any] = {
        "file": command.name,
        "mode": "dry run" if dry_run else "rehearsal" if command.score else "history",
        "rows": summary.rows,
        "accepted": summary.accepted,
        "cleaned": summary.cleaned,
        "rejected": summary.rejected,
        "labels": summary.labels,
        "labels_fraud": summary.labels_fraud,
        "fraud_share": fraud_share(summary),
        "labels_held": summary.labels_held,
        "labels_left_out": summary.labels_left_out,
        "out_of_order": summary.out_of_order,
        "into_past": summary.into_past,
        "first_time": _moment(summary.first_time),
        "last_time": _moment(summary.last_time),
        "rejects_file": rejects_file,
        "seconds": round(seconds, 3),
        "rows_per_second": round(summary.rows / max(seconds, 1e-9), 1),
        "peak_memory_mb": round(_peak_memory_mb(), 1),
        "complete": summary.complete,
    }
    if as_json:
        details = {
            "cleaned_fields": summary.cleaned_fields,
            "rejected_fields": summary.rejected_fields,
            "rejected_reasons": summary.rejected_reasons,
            "notes": summary.notes,
            **label_facts(summary),
        }
        sys.stdout.write(json.dumps({**figures, **details}) + "\n")
    else:
        console = Console()
        console.print(_table(figures, summary))
        if (months := months_table(summary)) is not None:
            console.print()
            console.print(months)
    _say_next(summary, rejects_file, interrupted, dry_run)


def _say_next(
    summary: ImportSummary, rejects_file: str | None, interrupted: bool, dry_run: bool
) -> None:
    say = Console(stderr=True, highlight=False, soft_wrap=True).print
    if interrupted:
        say(
            f"Interrupted: {summary.accepted:,} rows are in the log. Run it again to go on: "
            "rows that are in the log are not added twice."
        )
    for note, count in summary.notes.items():
        say(f"{count:,} {note}.", markup=False)
    reasons = sorted(summary.rejected_reasons.items(), key=lambda item: -item[1])
    for reason, count in reasons[:_SHOWN_REASONS]:
        say(f"{count:,} rows ({count / summary.rows:.1%}) rejected: {reason}", markup=False)
    for line in told_of_labels(summary, dry_run):
        say(line)
    if rejects_file:
        say(f"Rejected rows with line, field and reason: {rejects_file}", markup=False)
    if summary.into_past:
        say(
            f"{summary.into_past:,} rows are older than what the log held already: vectors offline "
            "of later transactions are made anew, decisions that were made do not change, and "
            "features online count these rows from now on (rows that were in the log change "
            "nothing)."
        )
    if summary.out_of_order:
        say(
            f"{summary.out_of_order:,} rows are older than a row before them. Sort the file by "
            "time, so that labels are appended in the order in which they became known."
        )


def _table(figures: Mapping[str, Any], summary: ImportSummary) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column()
    table.add_column(justify="right")
    table.add_column(style="dim")
    notes = {
        "cleaned": _counts(summary.cleaned_fields),
        "rejected": _counts(summary.rejected_fields),
    }
    for name, value in figures.items():
        if value is not None and name != "complete":
            shown = f"{value:,}" if isinstance(value, int | float) else str(value)
            table.add_row(name.replace("_", " "), shown, notes.get(name, ""))
    return table


def _counts(by_field: Mapping[str, int]) -> str:
    largest = sorted(by_field.items(), key=lambda item: -item[1])
    return ", ".join(f"{name} {count:,}" for name, count in largest)


def _moment(micros: int | None) -> str | None:
    return None if micros is None else to_rfc3339(micros)


def _peak_memory_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # In bytes on macOS, in kilobytes elsewhere.
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)
