"""Owns the live part: traffic, watch and screen, until all that was sent is accounted for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic

from rich.console import Console

from eventlog.port import InboxLog
from eventlog.topics import TRANSACTIONS
from local.demo.accounts import Accounts, Stored, settle
from local.demo.live.figures import FLAGGED, Figures
from local.demo.live.payments import LiveEvent, LiveTransaction
from local.demo.live.screen import LiveScreen
from local.demo.live.traffic import Pace, Traffic
from local.demo.live.watch import DecisionWatch, Watching, settled, until
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
class Lived:
    """`last` is the latest of what was sent."""

    figures: Figures
    accounts: Accounts
    seconds: float
    last: LiveTransaction | None


@dataclass(frozen=True, slots=True)
class LivePart:
    """`id_prefix` is of this run alone: by it the log, the tables and we know its transactions."""

    settings: Settings
    log: InboxLog
    id_prefix: str
    pace: Pace
    console: Console

    def run(self, events: Iterator[LiveEvent], told: Callable[[LiveTransaction], None]) -> Lived:
        """`told` learns the last one sent, also where the traffic is interrupted."""
        figures = Figures()
        screen = LiveScreen(self.console, figures, self.pace.seconds)
        traffic = Traffic(self.settings.api_url, self.log, figures)
        with self._opened() as positions, self._opened() as asked:
            start = asyncio.run(self._ends())
            watch = DecisionWatch(self.log, start, self.id_prefix, positions.markers, figures)
            count_alerts = lambda: int(asked.rows(_ALERTS, self.id_prefix)[0][0])  # noqa: E731
            with screen.shown(), Watching(watch, asked.read, count_alerts, figures):
                started = monotonic()
                try:
                    asyncio.run(traffic.run(events, self.pace))
                finally:
                    if traffic.last is not None:
                        told(traffic.last)
                seconds = (traffic.ended_at or monotonic()) - started
                screen.phase = "all sent; waiting for what is on its way"
                until(lambda: settled(figures), _SETTLE_SECONDS)
                until(lambda: figures.alerts >= _flagged(figures), _ALERT_SECONDS)
            stored = {row[0]: Stored(*row[1:]) for row in asked.rows(_DECISIONS, self.id_prefix)}
        accounts = settle(figures, stored, watch.counted)
        return Lived(figures, accounts, seconds, traffic.last)

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
