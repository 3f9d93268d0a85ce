"""Owns the training frame of a flat file: its rows as an import takes them, without any server.

What a row means is commands.imports's; in the end stands what an import of the file into an empty
log, and a replay of that, would give.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from commands.imports import (
    ImportPorts,
    ImportRows,
    ImportSummary,
    RejectFile,
    bind,
    import_rows,
    open_rows,
)
from commands.imports.durations import parse_duration
from commands.imports.origin import correlation_of, name_of
from commands.imports.rejects import rejects_path_of
from domain.errors import InvalidInputError
from domain.features import CATALOGUE
from domain.features.payments import MATURITIES
from eventlog.events_table import EventTable
from eventlog.table_log import TableLog
from host.clock import now_us
from inference.frame.frame import Frame
from operations.training.log_frame import frame_of
from projections.replay.dataset import dataset
from runtime.composition.intake import cleaner_for_file
from runtime.settings import Settings

Say = Callable[[str], None]
Count = Callable[[int, int], None]
USUAL_LABELS = ("fraud", "is_fraud", "label")
_STEPS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class FlatFile:
    """A file and how it is read, as `retrace ingest` is told: `mapping` holds FIELD=COLUMN."""

    path: Path
    mapping: tuple[str, ...] = ()
    label: str | None = None
    label_delay: str = "7d"
    currency: str | None = None
    rejects: Path | None = None
    limit: int | None = None


def usual_label(path: Path) -> str:
    """The column of labels where none is named. Raises InvalidInputError where none is usual."""
    source = open_rows(path)
    source.close()
    for name in USUAL_LABELS:
        if name in source.columns:
            return name
    raise InvalidInputError(
        "--label",
        "name the column with 1 for fraud and 0 for genuine, one of " + ", ".join(source.columns),
    )


@dataclass(frozen=True, slots=True)
class LaidOut:
    """`rejects_path` holds a line for each rejected row; it is not there where none was."""

    events: EventTable
    summary: ImportSummary
    rejects_path: Path

    @property
    def rejected(self) -> str:
        """How many rows by field, the most frequent first, and where each is told of."""
        fields = sorted(self.summary.rejected_fields.items(), key=lambda x: (-x[1], x[0]))
        named = ", ".join(f"{field} {count:,}" for field, count in fields)
        return (
            f"{self.summary.rejected:,} of {self.summary.rows:,} rows rejected ({named}):"
            f" {self.rejects_path} tells line, field and reason of each"
        )


def laid_out(file: FlatFile, settings: Settings, say: Say, count: Count) -> LaidOut:
    """The events that an import of the file would append, as rows of the replay.

    `say(text)` is told each step, `count(done, of)` how far it has come. Raises InvalidInputError
    naming what is wrong with the file or with how it is to be read.
    """
    delay = parse_duration(file.label_delay, "--label-delay")
    source = open_rows(file.path)
    try:
        binding = bind(source.columns, file.mapping, file.label)
        command = ImportRows(
            name=name_of(file.path),
            correlation_id=correlation_of(file.path),
            binding=binding,
            label_delay=delay,
            limit=file.limit,
        )
        cleaner, redact = cleaner_for_file(settings, file.currency)
        rejects = RejectFile(rejects_path_of(file.path, file.rejects), binding.column)
        log, summary = TableLog(), ImportSummary()
        ports = ImportPorts(
            cleaner=cleaner,
            log=log,
            clock=now_us,
            redact=redact,
            reject=rejects,
            progress=lambda _: count(int(source.fraction() * _STEPS), _STEPS),
        )
        say(f"reading {command.name}")
        try:
            with _no_search_for_cycles():
                import_rows(command, source, ports, summary)
        finally:
            rejects.close()
    finally:
        source.close()
    return LaidOut(log.table(), summary, rejects.path)


def frame_of_file(
    file: FlatFile, settings: Settings, as_known_at: int | None, say: Say, count: Count
) -> tuple[Frame, LaidOut]:
    """As log_frame.ideal_frame gives of the log; by default as the last event was known.

    Raises InvalidInputError.
    """
    made = laid_out(file, settings, say, count)
    if not len(made.events):
        told = f"; {made.rejected}" if made.summary.rejected else ""
        raise InvalidInputError("FILE", f"{file.path} has no row that can be taken{told}")
    moment = int(made.events.known.max()) if as_known_at is None else as_known_at
    say(f"replaying {len(made.events):,} events")
    replayed = dataset(made.events, CATALOGUE, as_known_at=moment, maturities=MATURITIES)
    return frame_of(replayed, moment), made


@contextmanager
def _no_search_for_cycles() -> Iterator[None]:
    """Rows hold none: looking for them again and again takes a fifth of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
