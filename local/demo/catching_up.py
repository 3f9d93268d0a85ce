"""Owns waiting until every projection has what is in the log, and showing how far it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from domain.errors import UnavailableError

_LOOK_SECONDS = 0.5
# A worker that is started anew reads its memory of ids first.
_STALL_SECONDS = 180.0

Lags = Callable[[], Mapping[str, int]]
Shown = Callable[[Mapping[str, int]], None]


def catch_up(lags: Lags, shown: Shown, logs: Path, stall_seconds: float = _STALL_SECONDS) -> None:
    """Returns once no projection lags. Raises UnavailableError where one of them stands still."""
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
                    f"{found[name]:,} events wait and none was projected for "
                    f"{stall_seconds:.0f} s; see {logs / f'worker-{name}.log'}",
                )
        time.sleep(_LOOK_SECONDS)
