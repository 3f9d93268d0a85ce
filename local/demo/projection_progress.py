"""Wait until every projection has caught up with the log, and show how far each one is."""

import asyncio
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from domain.errors import UnavailableError
from eventlog.port import EventLog
from eventlog.topics import TRANSACTIONS
from operations.monitoring.projection_lag import PositionReaders, lags, read_positions

_POLL_SECONDS = 0.5
# A restarted worker first reads its memory of ids.
_STALL_SECONDS = 180.0

Lags = Callable[[], Mapping[str, int]]
Shown = Callable[[Mapping[str, int]], None]


def wait_for_projections(
    lags: Lags, shown: Shown, logs: Path, stall_seconds: float = _STALL_SECONDS
) -> None:
    """Returns once no projection lags. Raises UnavailableError if one makes no progress."""
    least: dict[str, int] = {}
    moved: dict[str, float] = {}
    while True:
        now, found = time.monotonic(), lags()
        shown(found)
        for name, lag in found.items():
            if lag < least.get(name, lag + 1):
                least[name], moved[name] = lag, now
        late = [name for name, lag in found.items() if lag]
        if not late:
            return
        for name in late:
            if now - moved[name] > stall_seconds:
                raise UnavailableError(
                    f"worker-{name}",
                    f"{found[name]:,} events are waiting and none was projected for "
                    f"{stall_seconds:.0f} s; see {logs / f'worker-{name}.log'}",
                )
        time.sleep(_POLL_SECONDS)


def lags_behind(log: EventLog, positions: PositionReaders) -> dict[str, int]:
    """Per projection how much of TRANSACTIONS it has still to project. Raises UnavailableError."""
    ends = list(asyncio.run(log.ends(TRANSACTIONS)))
    return lags(read_positions(positions), ends)
