"""Composition of model monitoring: its limits and its rhythm, from the settings."""

from __future__ import annotations

from sqlalchemy import Engine

from eventlog.port import EventLog
from host.clock import now_us
from operations.monitoring.health import HealthQuery
from operations.monitoring.health_monitor import HealthMonitor
from runtime.composition.models import artefacts_of
from runtime.settings import Settings


def health_query(settings: Settings, until: int) -> HealthQuery:
    return HealthQuery(until, settings.health_window, settings.health_label_days, settings.limits)


def health_monitor(settings: Settings, log: EventLog, engine: Engine, source: str) -> HealthMonitor:
    return HealthMonitor(
        log,
        artefacts_of(settings),
        engine,
        lambda now: health_query(settings, now),
        settings.health_minutes,
        source,
        now_us,
    )
