"""Owns measuring the models that decide, now and then, beside a worker; it never ends the worker.

What it finds goes to the table model_health, for /metrics, and to the log as alerts.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import Engine

from commands.models.lifecycle import current_policy
from domain.errors import RetraceError, UnavailableError
from domain.events import Envelope
from domain.times import SECOND
from eventlog.port import EventLog
from eventlog.topics import ALERTS
from inference.monitoring.report import ModelHealth
from operations.monitoring.alerts import alerts_of, rows_of
from operations.monitoring.health import health_among
from operations.monitoring.measure import asked_of
from projections.readmodels.model_health import keep, measured_at
from runtime.settings import Settings

logger = logging.getLogger(__name__)

_FIRST_AFTER = 60.0


@dataclass(slots=True)
class HealthWatch:
    """Measures the model in force and the one rolled out, every `settings.health_minutes`.

    Of several processes that do, the first serves all: a measurement that is fresh is left alone.
    """

    settings: Settings
    engine: Engine
    log: EventLog
    source: str
    clock: Callable[[], int]
    _raised: set[str] = field(default_factory=set)

    async def run(self) -> None:
        """For ever; returns at once where the settings say never."""
        pause = self.settings.health_minutes * 60
        if not pause:
            return
        await asyncio.sleep(min(pause, _FIRST_AFTER))
        while True:
            try:
                await self.step()
            except RetraceError as error:
                logger.warning("model health: %s", error)
            except Exception:
                # The worker that it runs beside has other duties.
                logger.exception("model health could not be measured")
            await asyncio.sleep(pause)

    async def step(self) -> list[Envelope]:
        """Measures, keeps and raises; the alerts that were not raised by this process before."""
        now = self.clock()
        if not await asyncio.to_thread(self._due, now):
            return []
        found = await asyncio.to_thread(self._measured, now)
        rows = [row for health in found for row in rows_of(health, now)]
        await asyncio.to_thread(keep, self.engine, rows)
        raised = []
        for health in found:
            for alert in alerts_of(health, self.settings.limits, self.source, now):
                if alert.id not in self._raised:
                    await self.log.append(ALERTS, alert.subject, alert)
                    self._raised.add(alert.id)
                    raised.append(alert)
                    logger.warning("%s: %s", alert.subject, alert.data.summary)
        return raised

    def _due(self, now: int) -> bool:
        last = measured_at(self.engine)
        # A little early: two timers of one period must not skip every other turn.
        return last is None or now - last >= self.settings.health_minutes * 60 * SECOND * 0.9

    def _measured(self, now: int) -> list[ModelHealth]:
        settings = self.settings
        asked = asked_of(settings, now)
        policy = current_policy(self.log)
        deciding = [each.model_hash for each in (policy.model, policy.roll_out) if each]
        found = []
        for model_hash in deciding:
            try:
                found.append(health_among(self.log, settings, self.engine, model_hash, asked))
            except UnavailableError:
                raise
            except RetraceError as error:
                logger.warning("model health: %s", error)
        return found
