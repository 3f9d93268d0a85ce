"""Owns opening the stores that a deciding process reads from: read models and online states."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from commands.ports import ServedFeatures
from projections.evidence.adapters.mongo import MongoEvidence, build_client
from projections.online.adapters.feast_repo import repo_config
from projections.online.adapters.feast_states import FeastStateStore
from projections.online.reader import FeastFeatureReader
from projections.readmodels.queries.read_models import ReadModels
from projections.readmodels.storage.connecting import build_engine
from projections.settings import MongoSettings, PostgresSettings
from runtime.settings import Settings

# A decision has no time to wait: it is answered without history, and says so.
_REDIS_SECONDS = 0.05


@contextmanager
def open_read_models(settings: Settings) -> Iterator[ReadModels]:
    engine = build_engine(PostgresSettings(settings.database_url))
    try:
        yield ReadModels(engine)
    finally:
        engine.dispose()


@contextmanager
def open_evidence(settings: Settings) -> Iterator[MongoEvidence]:
    client = build_client(MongoSettings(settings.mongodb_url))
    try:
        yield MongoEvidence(client)
    finally:
        client.close()


def feature_reader(settings: Settings) -> FeastFeatureReader[ServedFeatures]:
    """Importing Feast takes seconds."""
    states = FeastStateStore(repo_config(settings, socket_timeout=_REDIS_SECONDS))
    return FeastFeatureReader(states, ServedFeatures)
