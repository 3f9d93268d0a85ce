"""Composition of monitoring, of models and of the replay: stores, limits, rhythm."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine

from commands.models.registry import registry_of
from eventlog.port import EventLog
from host.clock import now_us
from operations.models.lifecycle import Models
from operations.monitoring.automatic_rollback import AutomaticRollback
from operations.monitoring.health import HealthPorts, HealthQuery
from operations.monitoring.health_monitor import HealthMonitor
from operations.replay.scheduled.child import Bounds, NotProven, Proven, command_of, prove
from operations.replay.scheduled.monitor import ReplayMonitor, Rhythm
from runtime.composition.log import open_log
from runtime.composition.models import artefacts_of, open_scorers
from runtime.composition.read_models import LONG_SECONDS, open_engine
from runtime.settings import Settings


@contextmanager
def open_health(settings: Settings) -> Iterator[HealthPorts]:
    """Connects to a server when it is first used, not before."""
    with open_log(settings) as log, open_engine(settings, LONG_SECONDS) as engine:
        yield HealthPorts(log, artefacts_of(settings), engine)


def health_query(settings: Settings, until: int) -> HealthQuery:
    return HealthQuery(until, settings.health_window, settings.health_label_days, settings.limits)


def health_monitor(settings: Settings, log: EventLog, engine: Engine, source: str) -> HealthMonitor:
    return HealthMonitor(
        HealthPorts(log, artefacts_of(settings), engine),
        lambda now: health_query(settings, now),
        settings.health_minutes,
        source,
        now_us,
        AutomaticRollback(lambda: _models(settings, log)) if settings.model_rollback else None,
    )


def replay_monitor(settings: Settings, log: EventLog, engine: Engine, source: str) -> ReplayMonitor:
    seconds = 60 * settings.replay_minutes
    bounds = Bounds(seconds, settings.replay_memory_mb << 20)

    async def proven(turn: int) -> Proven | NotProven:
        return await prove(command_of(turn, settings.replay_sample), bounds)

    rhythm = Rhythm(settings.replay_hours, settings.replay_sample, seconds)
    return ReplayMonitor(log, engine, proven, rhythm, source, now_us)


@contextmanager
def _models(settings: Settings, log: EventLog) -> Iterator[Models]:
    """Scorers are opened for as long as a rollback takes: no kernel stays loaded."""
    with open_scorers(settings) as load:
        yield Models(log, artefacts_of(settings), registry_of(log), load)
