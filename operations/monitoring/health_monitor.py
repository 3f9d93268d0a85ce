"""Monitor of the deciding models: measures their health now and then, and raises alerts.

What it finds goes to the table model_health, for /metrics, and to the log as alerts.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from commands.models.raise_alert import raise_model_alert
from commands.policy.topic import current_policy
from domain.errors import RetraceError, UnavailableError
from domain.events import ModelAlertRaised
from domain.times import SECOND
from inference.monitoring.report import ModelHealth
from operations.monitoring.alerts import alerts_of, rows_of
from operations.monitoring.automatic_rollback import AutomaticRollback, bad
from operations.monitoring.health import HealthPorts, HealthQuery, health_of
from projections.readmodels.model_health import keep, measured_at

logger = logging.getLogger(__name__)

_FIRST_AFTER = 60.0


@dataclass(slots=True)
class HealthMonitor:
    """Measures the model in force and the one rolled out every `minutes`; 0 for never.

    `query` gives what is asked at a moment. Several processes share one measurement: none measures
    while a fresh one is stored. With `rollback` a model that labels show to be bad is put out of
    force, or its roll-out ended.
    """

    ports: HealthPorts
    query: Callable[[int], HealthQuery]
    minutes: float
    source: str
    clock: Callable[[], int]
    rollback: AutomaticRollback | None = None
    _raised: set[str] = field(default_factory=set)

    async def run(self) -> None:
        """For ever, and never ends the worker that it runs beside; at once for 0 minutes."""
        pause = self.minutes * 60
        if not pause:
            return
        await asyncio.sleep(min(pause, _FIRST_AFTER))
        while True:
            try:
                await self.step()
            except RetraceError as error:
                logger.warning("model health: %s", error)
            except Exception:
                logger.exception("model health could not be measured")
            await asyncio.sleep(pause)

    async def step(self) -> list[ModelAlertRaised]:
        """Measures, stores and raises; returns the alerts that this process had not raised yet."""
        now = self.clock()
        if not await asyncio.to_thread(self._due, now):
            return []
        query = self.query(now)
        found = await asyncio.to_thread(self._measured, query)
        rows = [row for health in found for row in rows_of(health, now)]
        await asyncio.to_thread(keep, self.ports.engine, rows)
        alerts = [
            alert
            for health in found
            for alert in alerts_of(health, query.limits, now, await self._said(health))
        ]
        fresh = [alert for alert in alerts if alert.alert_id not in self._raised]
        for alert in fresh:
            await raise_model_alert(self.ports.log, alert, self.source, now)
            self._raised.add(alert.alert_id)
            logger.warning("%s: %s", alert.model_id, alert.summary)
        # After the alerts: where this fails, the next measurement finds the model in force still.
        for health in found:
            await self._act(health)
        return fresh

    async def _said(self, health: ModelHealth) -> str:
        if self.rollback is None or not bad(health):
            return ""
        return await asyncio.to_thread(self.rollback.said, health)

    async def _act(self, health: ModelHealth) -> None:
        if self.rollback is None or not bad(health):
            return
        done = await asyncio.to_thread(self.rollback.act, health)
        if done is not None:
            logger.error("%s is bad by its labels: %s", health.model_id, done)

    def _due(self, now: int) -> bool:
        last = measured_at(self.ports.engine)
        # A little early: two timers of one period must not skip every other turn.
        return last is None or now - last >= self.minutes * 60 * SECOND * 0.9

    def _measured(self, query: HealthQuery) -> list[ModelHealth]:
        policy = current_policy(self.ports.log)
        deciding = [each.model_hash for each in (policy.model, policy.roll_out) if each]
        found = []
        for model_hash in deciding:
            try:
                found.append(health_of(self.ports, model_hash, query))
            except UnavailableError:
                raise
            except RetraceError as error:
                logger.warning("model health: %s", error)
        return found
