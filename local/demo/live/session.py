"""Session of live traffic: sender, monitor and screen, until all that was sent is decided."""

import asyncio
from collections.abc import Callable, Iterator
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
from operations.monitoring.projection_lag import read_positions
from projections.readmodels.queries import id_prefix
from runtime.composition.features import states_of
from runtime.composition.positions import open_positions
from runtime.composition.read_models import open_engine
from runtime.settings import Settings

_SETTLE_SECONDS = 60.0
_ALERT_SECONDS = 20.0


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
        markers = states_of(self.settings).markers
        with open_positions(self.settings) as positions, open_engine(self.settings) as engine:
            start = list(asyncio.run(self.log.ends(TRANSACTIONS)))
            monitor = DecisionMonitor(self.log, start, self.id_prefix, markers, figures)
            threads = MonitorThreads(
                monitor,
                lambda: read_positions(positions),
                lambda: id_prefix.count_alerts(engine, self.id_prefix),
                figures,
            )
            with screen.shown(), threads:
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
            rows = id_prefix.decisions(engine, self.id_prefix)
        stored = {row[0]: Stored(*row[1:]) for row in rows}
        reconciliation = reconcile(figures, stored, monitor.counted)
        return LiveResult(figures, reconciliation, seconds, traffic.last)


def _flagged(figures: Figures) -> int:
    return sum(each.outcome in FLAGGED for each in list(figures.decisions.values()))
