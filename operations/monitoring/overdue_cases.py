"""Overdue watch: says of each case that was not dealt with in time that it is overdue, once."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from commands.cases.overdue import raise_overdue
from domain.errors import RetraceError
from domain.times import DAY
from eventlog.port import EventLog
from projections.readmodels.queries.cases import Cases

logger = logging.getLogger(__name__)

# Nobody is told of what was missed before; a case that is older is seen in the queue.
WITHIN_US = DAY
_MOST = 1_000


@dataclass(slots=True)
class OverdueWatch:
    """Looks every so many `minutes` (0: never); `clock` gives microseconds UTC."""

    log: EventLog
    cases: Cases
    minutes: float
    source: str
    clock: Callable[[], int]
    _said: set[str] = field(default_factory=set)

    async def run(self) -> None:
        """For ever, and never ends the worker that it runs beside."""
        while self.minutes:
            try:
                await self.step()
            except RetraceError as error:
                logger.warning("overdue cases: %s", error)
            except Exception:
                logger.exception("looking for overdue cases failed")
            await asyncio.sleep(60 * self.minutes)

    async def step(self) -> int:
        """How many it said. Raises UnavailableError."""
        now = self.clock()
        found = await asyncio.to_thread(self.cases.overdue, now - WITHIN_US, now, _MOST)
        news = [each for each in found if each.alert_id not in self._said]
        for each in news:
            await raise_overdue(self.log, each, self.source, now)
        # The read model has the others by now.
        self._said = {each.alert_id for each in found}
        return len(news)
