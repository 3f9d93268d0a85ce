"""Health of a model: what it met lately against its training, from artefact and read models."""

from dataclasses import dataclass, field

from sqlalchemy import Engine

from commands.models.registry import registry_of
from domain.errors import NotFoundError
from domain.features import CATALOGUE
from domain.features.payments import MATURITIES
from domain.times import DAY
from eventlog.port import EventLog
from inference.artefacts.manifest import Manifest
from inference.artefacts.store import ArtefactStore
from inference.monitoring.calibration import Week
from inference.monitoring.catches import SPANS, LivePayments
from inference.monitoring.limits import Limits
from inference.monitoring.report import Live, ModelHealth, health
from projections.readmodels.queries.live_window import LiveWindow, reach


@dataclass(frozen=True, slots=True)
class HealthPorts:
    """`engine` is of PostgreSQL, with the read models."""

    log: EventLog
    models: ArtefactStore
    engine: Engine


@dataclass(frozen=True, slots=True)
class HealthQuery:
    """Decisions of the `window` before `until` (microseconds), and labels `days` after theirs."""

    until: int
    window: int = 7 * DAY
    days: int = 30
    limits: Limits = field(default_factory=Limits)


def health_of(ports: HealthPorts, model: str | None, query: HealthQuery) -> ModelHealth:
    """Of a model by id or hash; None is the one in force.

    Raises NotFoundError (no such model, or one without reference), SettingsError (it takes other
    features), UnavailableError (Kafka or PostgreSQL does not answer).
    """
    registry = registry_of(ports.log)
    named = model or registry.in_force
    if named is None:
        raise NotFoundError("model", "in force: promote one with `./retrace models promote`")
    found = registry.find(named)
    manifest = ports.models.open(found.model_hash).manifest
    return measured(ports.engine, manifest, found.model_hash, query)


def measured(
    engine: Engine, manifest: Manifest, model_hash: str, query: HealthQuery
) -> ModelHealth:
    """Of the features as this version declares them. Raises as `health_of`."""
    since = query.until - query.window
    values = LiveWindow(engine, model_hash, since, query.until).values(
        CATALOGUE.hash, len(CATALOGUE)
    )
    weeks = LiveWindow(engine, model_hash, reach(query.until), query.until).weeks(
        [maturity // DAY for maturity in MATURITIES]
    )
    recent = max(0, query.until - SPANS[-1] * DAY)
    referred = LiveWindow(engine, model_hash, recent, query.until).referred(manifest.thresholds)
    live = Live(
        since,
        query.until,
        values.decisions,
        values.decisions - values.whole,
        values.span,
        values.vectors[:, manifest.inputs.places(CATALOGUE)],
        values.scores,
        [
            Week(w.begin, w.decided, w.expected, w.declined, w.declined_frauds, w.frauds)
            for w in weeks
        ],
        LivePayments(referred.ages, referred.holders, referred.referred, referred.labels),
    )
    return health(manifest, model_hash, live, query.limits, query.days)
