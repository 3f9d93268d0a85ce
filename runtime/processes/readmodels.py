"""`readmodels` worker: decisions and alerts in PostgreSQL; shadows, model health, replay beside."""

from collections.abc import Sequence
from functools import cache

from sqlalchemy import Engine

from commands.policy.shadows import ShadowPolicy
from commands.ports import LoadModel
from eventlog.events_table import EventTable
from eventlog.topics import ALERTS, TRANSACTIONS
from host.clock import now_us
from operations.monitoring.overdue_cases import OverdueWatch
from projections.faust.projection_handler import ProjectionHandler
from projections.ports import Workload
from projections.readmodels.adapters.postgres import alerts_projection, transactions_projection
from projections.readmodels.queries.cases import Cases
from projections.readmodels.retention import Retention
from projections.readmodels.storage.connecting import build_engine
from projections.settings import PostgresSettings
from projections.shadows.adapters.postgres import PostgresShadows
from projections.shadows.models import ShadowModels
from projections.shadows.worker import ShadowScoring
from runtime.composition.models import open_scorers
from runtime.composition.monitoring import health_monitor, replay_monitor
from runtime.processes.workload import Tools


def readmodels(tools: Tools) -> Workload:
    engine = build_engine(PostgresSettings(tools.settings.database_url), writer=True)
    tools.closing.callback(engine.dispose)
    health = health_monitor(tools.settings, tools.log, engine, f"retrace/{tools.name}")
    replay = replay_monitor(tools.settings, tools.log, engine, f"retrace/{tools.name}")
    # Shadows score decisions once these tables hold them (docs/adr/0012).
    shadows = _shadows(tools, engine)
    transactions = ProjectionHandler(
        transactions_projection(engine),
        tools.admission(TRANSACTIONS),
        tools.dead_letter(),
        shadows.own,
    )
    alerts = ProjectionHandler(
        alerts_projection(engine), tools.admission(ALERTS), tools.dead_letter()
    )
    retention = Retention(engine, tools.settings.keep_months, now_us)
    overdue = OverdueWatch(
        tools.log, Cases(engine), tools.settings.overdue_minutes, f"retrace/{tools.name}", now_us
    )
    return Workload(
        {TRANSACTIONS: transactions, ALERTS: alerts},
        beside=[health.run, shadows.watch, retention.run, overdue.run, replay.run],
        first=retention.begin,
    )


def _shadows(tools: Tools, engine: Engine) -> ShadowScoring:
    policy = ShadowPolicy(tools.log)
    tools.closing.callback(policy.close)

    @cache
    def scorers() -> LoadModel:
        """Opened with the first shadow: without one, no kernel is loaded."""
        return tools.closing.enter_context(open_scorers(tools.settings))

    def events(seam: Sequence[int]) -> EventTable:
        # The archive's readers take memory that most workers never need.
        from runtime.composition.history import open_history

        with open_history(tools.settings, seam) as (_, history):
            return history.events()

    models = ShadowModels(lambda model_hash: scorers()(model_hash), policy.features, events)
    return ShadowScoring(PostgresShadows(engine), policy.shadows, models.load, models.replay)
