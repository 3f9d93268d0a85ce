"""Owns the health of an installation's models; how it is measured is model_health.py's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

from sqlalchemy import Engine

from commands.models.registry import registry_of
from domain.errors import NotFoundError
from eventlog.port import EventLog
from inference.monitoring.report import ModelHealth
from operations.monitoring.measure import Asked, measured
from projections.readmodels.storage.connecting import build_engine
from projections.settings import PostgresSettings
from runtime.composition.log import log_of
from runtime.composition.models import artefacts_of
from runtime.settings import Settings

# Half a year of decisions is looked through.
_SECONDS = 300


def health_of(settings: Settings, model: str | None, asked: Asked) -> ModelHealth:
    """Of a model by id or hash; None is the one in force.

    Raises NotFoundError (no such model, or one without reference), SettingsError (it takes other
    features), UnavailableError (Kafka or PostgreSQL does not answer).
    """
    with closing(log_of(settings)) as log, open_engine(settings) as engine:
        return health_among(log, settings, engine, model, asked)


def health_among(
    log: EventLog, settings: Settings, engine: Engine, model: str | None, asked: Asked
) -> ModelHealth:
    """The same, over what is open."""
    registry = registry_of(log)
    named = model or registry.in_force
    if named is None:
        raise NotFoundError("model", "in force: promote one with `./retrace models promote`")
    found = registry.find(named)
    manifest = artefacts_of(settings).open(found.model_hash).manifest
    return measured(engine, manifest, found.model_hash, asked)


@contextmanager
def open_engine(settings: Settings) -> Iterator[Engine]:
    engine = build_engine(PostgresSettings(settings.database_url, statement_timeout_s=_SECONDS))
    try:
        yield engine
    finally:
        engine.dispose()
