"""Progress of operations: the steps that they report, and the first of many, reading the log."""

from collections.abc import Callable

from eventlog.archive.history import History
from eventlog.events_table import EventTable
from inference.frame.progress import Progress

Say = Callable[[str], None]
"""Takes the name of the step that begins."""
Count = Callable[[int, int], None]
"""Takes how much of the present step is done, and how much there is."""


def steps_of(progress: Progress) -> tuple[Say, Count]:
    """Two callables that pass on to `progress`."""
    step = [""]

    def say(text: str) -> None:
        step[0] = text
        progress(0.0, text)

    return say, lambda done, of: progress(done / max(of, 1), step[0])


def read_events(
    history: History, say: Say, count: Count, *, by_known_time: bool = False
) -> EventTable:
    """As `history.events`. Raises UnavailableError, IntegrityError for a damaged archive."""
    say("reading the log")
    total, read = sum(history.ends), 0

    def more(records: int) -> None:
        nonlocal read
        read += records
        count(read, total)

    return history.events(more, by_known_time)
