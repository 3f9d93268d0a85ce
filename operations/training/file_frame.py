"""Training frame of a flat file: its rows as an import would append them, without any server.

The meaning of a row is in commands.imports. The frame is that of a replay of the log into which the
file alone was imported.
"""

import gc
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from commands.imports.handler import ImportPorts, import_rows
from commands.imports.mapping.yaml_file import load_mapping
from commands.imports.readers.opening import open_rows
from commands.imports.rejects import RejectFile
from commands.imports.summary import ImportSummary
from commands.intake.cleaner import PayloadCleaner
from domain.errors import InvalidInputError
from domain.features import CATALOGUE
from domain.features.payments import MATURITIES
from eventlog.events_table import EventTable
from eventlog.table_log import TableLog
from host.clock import now_us
from inference.frame.frame import Frame
from operations.log.imports import ImportOptions, opened_import
from operations.progress import Count, Say
from operations.training.log_frame import frame_of
from projections.replay.dataset import dataset

USUAL_LABELS = ("fraud", "is_fraud", "label")
_STEPS = 1000

Cleaning = tuple[PayloadCleaner, Callable[[str], str]]
"""What cleans a row, and what takes card numbers out of the text of a rejected one."""


def usual_label(
    path: Path, mapping_file: str | None = None, encoding: str | None = None
) -> str | None:
    """The column of labels where none is named; None where the mapping names one.

    Raises InvalidInputError where none is usual.
    """
    if mapping_file is not None and load_mapping(mapping_file).label is not None:
        return None
    source = open_rows(path, encoding)
    source.close()
    for name in USUAL_LABELS:
        if name in source.columns:
            return name
    raise InvalidInputError(
        "--label",
        "name the column with 1 for fraud and 0 for genuine, one of " + ", ".join(source.columns),
    )


@dataclass(frozen=True, slots=True)
class FileEvents:
    """`rejects_path` is a file with a line for each rejected row; without any there is no file."""

    events: EventTable
    summary: ImportSummary
    rejects_path: Path

    @property
    def rejected(self) -> str:
        """How many rows by field, the most frequent first, and where the reasons are."""
        fields = sorted(self.summary.rejected_fields.items(), key=lambda x: (-x[1], x[0]))
        named = ", ".join(f"{field} {count:,}" for field, count in fields)
        return (
            f"{self.summary.rejected:,} of {self.summary.rows:,} rows rejected ({named}):"
            f" {self.rejects_path} has line, field and reason of each"
        )


def events_of_file(
    options: ImportOptions, cleaning: Cleaning, say: Say, count: Count
) -> FileEvents:
    """The events that an import of the file would append, as rows of the replay.

    Raises InvalidInputError naming what is wrong with the file or with an option.
    """
    log, summary = TableLog(), ImportSummary()
    cleaner, redact = cleaning
    with (
        opened_import(options) as opened,
        closing(RejectFile(opened.rejects_path, opened.command.binding.column)) as rejects,
        _no_search_for_cycles(),
    ):
        ports = ImportPorts(
            cleaner=cleaner,
            log=log,
            clock=now_us,
            redact=redact,
            reject=rejects,
            progress=lambda _: count(int(opened.rows.fraction() * _STEPS), _STEPS),
        )
        say(f"reading {opened.command.name}")
        import_rows(opened.command, opened.rows, ports, summary)
    return FileEvents(log.table(), summary, opened.rejects_path)


def frame_of_file(
    options: ImportOptions, cleaning: Cleaning, as_known_at: int | None, say: Say, count: Count
) -> tuple[Frame, FileEvents]:
    """As log_frame.ideal_frame of the log; by default as known when the last event was.

    Raises InvalidInputError.
    """
    made = events_of_file(options, cleaning, say, count)
    if not len(made.events):
        rejected = f"; {made.rejected}" if made.summary.rejected else ""
        raise InvalidInputError("FILE", f"{options.file} has no row that can be taken{rejected}")
    moment = int(made.events.known.max()) if as_known_at is None else as_known_at
    say(f"replaying {len(made.events):,} events")
    replayed = dataset(made.events, CATALOGUE, as_known_at=moment, maturities=MATURITIES)
    return frame_of(replayed, moment), made


@contextmanager
def _no_search_for_cycles() -> Iterator[None]:
    """Rows hold no reference cycles: searching for them takes a fifth of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
