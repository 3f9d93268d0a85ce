"""Options of a backtest of policies."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Options:
    """As given on the command line; `first` and `last` in microseconds UTC."""

    first: int
    last: int
    model: str | None
    policies: list[Path]
    baseline: Path | None
    sweep: str | None
    minutes: float
    closed_loop: str | None = None
    served: bool = False


@dataclass(frozen=True, slots=True)
class Outputs:
    """What is written of it: CSV of what changes, the folder of a report, a record in the log.

    `anew`: no run that was interrupted is continued. `engine` carries it out: local or dask.
    """

    changed: Path | None
    report: Path | None
    as_json: bool
    record: bool
    anew: bool
    engine: str = "local"
