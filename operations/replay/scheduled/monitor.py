"""Monitor of the replay: has a sample of past decisions proven now and then, and raises alerts.

What it finds goes to the table replay_checks, for /metrics, and to the log as alerts.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sqlalchemy import Engine

from commands.models.raise_alert import raise_model_alert
from domain.errors import RetraceError
from domain.events import HealthMeasure, ModelAlertRaised
from domain.model_alerts import SYSTEM, model_alert_id
from domain.times import DAY, HOUR, SECOND
from eventlog.port import EventLog
from eventlog.topics import TRANSACTIONS
from operations.replay.scheduled.child import NotProven, Proven
from projections.readmodels.replay_checks import Checked, begin, end, failing

logger = logging.getLogger(__name__)

FIRST_AFTER = 1800.0
"""Seconds: a worker that has just begun has other things to do."""
_LOOKS = 900.0
_LONG = DAY
_FEW = 2


@dataclass(frozen=True, slots=True)
class Rhythm:
    """A sample of about so many decisions every `hours` (0: never); a turn that has not ended after
    `most_seconds` is dead."""

    hours: float
    sample: int
    most_seconds: float


Prove = Callable[[int], Awaitable[Proven | NotProven]]
"""Proves a turn."""


@dataclass(slots=True)
class ReplayMonitor:
    """Of several processes one proves at a time, and none where nothing has come to the log."""

    log: EventLog
    engine: Engine
    prove: Prove
    rhythm: Rhythm
    source: str
    clock: Callable[[], int]

    async def run(self) -> None:
        """For ever, and never ends the worker that it runs beside; at once for 0 hours."""
        pause = self.rhythm.hours * 3600
        if not pause:
            return
        await asyncio.sleep(min(pause, FIRST_AFTER))
        while True:
            try:
                await self.step()
            except RetraceError as error:
                logger.warning("replay: %s", error)
            except Exception:
                logger.exception("the replay of past decisions failed")
            await asyncio.sleep(min(pause, _LOOKS))

    async def step(self) -> Checked | None:
        """Proves a turn where one is due, keeps what it found, and raises what is wrong.

        Raises UnavailableError.
        """
        records = sum(await self.log.ends(TRANSACTIONS))
        # A little early: two timers of one period must not skip every other turn.
        every = int(self.rhythm.hours * HOUR * 0.9)
        dead = int(2 * self.rhythm.most_seconds * SECOND)
        turn = await asyncio.to_thread(begin, self.engine, self.clock(), records, every, dead)
        if turn is None:
            return None
        await self._warn_of_failures()
        found = await self._proven(turn)
        if found.different:
            # First, for the table may be away.
            await self._raise("replay", found.different, 0, self._summary(found))
        await asyncio.to_thread(end, self.engine, found, self.clock())
        if found.failed:
            logger.warning("replay: turn %d was not proven: %s", turn, found.failed)
            await self._warn_of_failures()
        return found

    async def _proven(self, turn: int) -> Checked:
        proven = await self.prove(turn)
        if isinstance(proven, NotProven):
            return Checked(turn, failed=proven.reason)
        causes = ", ".join(f"{number} {cause}" for cause, number in sorted(proven.causes.items()))
        return Checked(turn, proven.compared, proven.different, causes)

    def _summary(self, found: Checked) -> str:
        asked = f"retrace replay verify --sample {self.rhythm.sample} --turn {found.turn}"
        return (
            f"{found.different} of {found.compared} past decisions do not follow from the log"
            f" ({found.causes}): {asked}"
        )

    async def _warn_of_failures(self) -> None:
        """Once a day, where turn after turn fails, or dies, for a day."""
        turns = await asyncio.to_thread(failing, self.engine)
        since = self.clock() - turns.since
        if turns.number < _FEW or since < _LONG:
            return
        hours = since / HOUR
        summary = f"no past decision was proven for {hours:.0f} hours: {turns.reason}"
        await self._raise("replay_fails", hours, _LONG / HOUR, summary)

    async def _raise(
        self, measure: HealthMeasure, value: float, limit: float, summary: str
    ) -> None:
        now = self.clock()
        alert = ModelAlertRaised(
            alert_id=model_alert_id(SYSTEM, measure, now),
            model_id=SYSTEM,
            model_hash="",
            measure=measure,
            value=value,
            limit=limit,
            summary=summary,
            features=[],
            since=now,
            until=now,
        )
        await raise_model_alert(self.log, alert, self.source, now)
        logger.error("replay: %s", summary)
