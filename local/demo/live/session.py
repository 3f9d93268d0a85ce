"""Session of live traffic: sender, monitor and screen, until all that was sent is decided."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic

from rich.console import Console

from eventlog.port import InboxLog
from eventlog.topics import TRANSACTIONS
from host.processes import wait_until
from local.demo.live.events import LiveEvent, LiveTransaction
from local.demo.live.figures import FLAGGED, Figures
from local.demo.live.monitor import DecisionMonitor, MonitorThreads, all_settled
from local.demo.live.reconciliation import Reconciliation, Stored, reconcile
from local.demo.live.screen import LiveScreen
from local.demo.live.traffic import Schedule, Traffic
from operations.monitoring.projection_lag import ProjectionPositions
from runtime.settings import Settings

_SETTLE_SECONDS = 60.0
_ALERT_SECONDS = 20.0
_ALERTS = "SELECT count(*) FROM alerts WHERE starts_with(transaction_id, %s)"
_DECISIONS = (
    "SELECT transaction_id, outcome, score, source_partition, source_offset"
    " FROM decisions WHERE starts_with(transaction_id, %s)"
)


@dataclass(frozen=True, slots=True)
class LiveResult:
    """`last` is the last transaction sent."""

    figures: Figures
    reconciliation: Reconciliation
    seconds: float
    last: LiveTransaction | None


@dataclass(frozen=True, slots=True)
class LiveSession:
    """`id_prefix` begins the id of every transaction of this run, and of no other."""

    settings: Settings
    log: InboxLog
    id_prefix: str
    schedule: Schedule
    console: Console

    def run(
        self, events: Iterator[LiveEvent], remember: Callable[[LiveTransaction], None]
    ) -> LiveResult:
        """`remember` takes the last transaction sent, also after an interruption."""
        figures = Figures()
        screen = LiveScreen(self.console, figures, self.schedule.seconds)
        traffic = Traffic(self.settings.api_url, self.log, figures)
        with self._opened() as positions, self._opened() as asked:
            start = asyncio.run(self._ends())
            monitor = DecisionMonitor(self.log, start, self.id_prefix, positions.markers, figures)
            count_alerts = lambda: int(asked.rows(_ALERTS, self.id_prefix)[0][0])  # noqa: E731
            with screen.shown(), MonitorThreads(monitor, asked.read, count_alerts, figures):
                started = monotonic()
                try:
                    asyncio.run(traffic.run(events, self.schedule))
                finally:
                    if traffic.last is not None:
                        remember(traffic.last)
                seconds = (traffic.ended_at or monotonic()) - started
                screen.phase = "all sent; waiting for the last decisions"
                wait_until(lambda: all_settled(figures), _SETTLE_SECONDS)
                wait_until(lambda: figures.alerts >= _flagged(figures), _ALERT_SECONDS)
            stored = {row[0]: Stored(*row[1:]) for row in asked.rows(_DECISIONS, self.id_prefix)}
        reconciliation = reconcile(figures, stored, monitor.counted)
        return LiveResult(figures, reconciliation, seconds, traffic.last)

    @contextmanager
    def _opened(self) -> Iterator[ProjectionPositions]:
        positions = ProjectionPositions(self.settings)
        try:
            yield positions
        finally:
            positions.close()

    async def _ends(self) -> list[int]:
        return list(await self.log.ends(TRANSACTIONS))


def _flagged(figures: Figures) -> int:
    return sum(each.outcome in FLAGGED for each in list(figures.decisions.values()))
