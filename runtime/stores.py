"""Owns opening the stores that processes read from: read models and online states."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from projections.adapters.feast_repo import repo_config
from projections.adapters.feast_states import FeastStateStore
from projections.readmodels.connecting import build_engine
from projections.readmodels.queries import ReadModels
from projections.settings import PostgresSettings
from runtime.settings import Settings

# A decision waits for Redis no longer than this before its features are left at their defaults.
_REDIS_SECONDS = 0.1


@contextmanager
def open_read_models(settings: Settings) -> Iterator[ReadModels]:
    engine = build_engine(PostgresSettings(settings.database_url))
    try:
        yield ReadModels(engine)
    finally:
        engine.dispose()


def online_states(settings: Settings) -> FeastStateStore:
    return FeastStateStore(repo_config(settings, socket_timeout=_REDIS_SECONDS))
