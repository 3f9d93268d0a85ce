"""Export of a training set from the log: features at each transaction's own time, and its label."""

from pathlib import Path

from domain.errors import InvalidInputError
from domain.features import CATALOGUE
from eventlog.archive.history import History
from host.files import writing
from operations.progress import Count, Say
from operations.training.log_frame import replayed
from projections.replay.dataset import write


def export(
    history: History,
    out: Path,
    as_known_at: int,
    begin: int | None,
    end: int | None,
    say: Say,
    count: Count,
) -> dict[str, int]:
    """How many rows and labels. Raises InvalidInputError where there is no such transaction."""
    made = replayed(history, as_known_at, begin, end, say, count, maturities=())
    if not len(made):
        raise InvalidInputError("--from/--to", "no transaction of that time was known then")
    say(f"writing {len(made):,} rows")
    with writing(out, "name another file"):
        write(made, out)
    return {
        "transactions": len(made),
        "features": len(CATALOGUE),
        "fraud": int((made.labels == 1).sum()),
        "genuine": int((made.labels == 0).sum()),
    }
