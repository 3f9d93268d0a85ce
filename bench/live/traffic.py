"""Traffic of a benchmark: an installation with some history, and payments of the same customers."""

import asyncio
import itertools
from collections.abc import Iterator
from functools import partial
from typing import Any

from bench.live.load import Generator
from eventlog.port import EventLog
from eventlog.topics import TRANSACTIONS
from host.clock import now_us
from local.chaos.installation import Installation
from local.demo.history import import_history
from local.demo.live.events import LiveTransaction, simulated_traffic
from local.demo.plan import DemoRequest, HistoryPlan, live_prefix, plan_history, plan_live
from local.demo.projection_progress import lags_behind, wait_for_projections
from local.stack.control import Progress
from operations.monitoring.projection_lag import PositionReaders
from runtime.composition.intake import cleaner_of

MODEL = "full"


class Traffic:
    """`days` of a thousand payments each, and then up to `most` live ones before times repeat."""

    def __init__(
        self,
        installation: Installation,
        log: EventLog,
        positions: PositionReaders,
        progress: Progress,
        days: int,
        most: float,
    ) -> None:
        self.installation, self.settings = installation, installation.settings
        self.log, self.positions, self.progress = log, positions, progress
        self._request = DemoRequest(days=days, seconds=1.0, rate=max(1.0, most))
        self._plan: HistoryPlan = plan_history(now_us(), self._request)
        self.bodies = self._payments()

    def import_history(self) -> None:
        """Returns once every projection has it."""
        self.progress.say(f"history of {self._plan.days} days")
        cleaner = cleaner_of(self.settings)
        import_history(self._plan, self.log, cleaner, now_us(), set(), lambda _: None)
        self.rest()

    def generator(self) -> Generator:
        return Generator([self.settings.api_url], "/score", self.bodies, told)

    def ends(self) -> list[int]:
        """Of the log of transactions, by partition."""
        return list(asyncio.run(self.log.ends(TRANSACTIONS)))

    def rest(self) -> None:
        """Until every projection has all that is in the log. Raises UnavailableError."""
        found = partial(lags_behind, self.log, self.positions)
        wait_for_projections(found, lambda _: None, self.settings.state_dir / "logs")

    def _payments(self) -> Iterator[bytes]:
        """Endless: payments of the history's customers, each under an id of its own."""
        for run in itertools.count():
            now = now_us()
            window = plan_live(self._plan, now, self._request.transactions, self._plan.days, 0)
            events = simulated_traffic(self._plan, window, f"{live_prefix(now)}{run}-")
            for event in itertools.islice(events, 10 * self._request.transactions):
                if isinstance(event, LiveTransaction):
                    yield event.body


def told(decision: dict[str, Any]) -> list[str]:
    """The path, each flag, and whether there was none but of what the payment itself lacks."""
    flags = decision["flags"]
    ours = [flag for flag in flags if not flag.startswith("no_")]
    return [decision["path"], *flags, *([] if ours else ["unflagged"])]
