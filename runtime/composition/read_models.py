"""Composition of the read models: a reader's connections to PostgreSQL."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine

from projections.readmodels.queries.read_models import ReadModels
from projections.readmodels.storage.connecting import build_engine
from projections.settings import PostgresSettings
from runtime.settings import Settings

LONG_SECONDS = 300
"""Bounds a statement over months of decisions."""


@contextmanager
def open_engine(settings: Settings, statement_seconds: int = 10) -> Iterator[Engine]:
    engine = build_engine(
        PostgresSettings(settings.database_url, statement_timeout_s=statement_seconds)
    )
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def open_read_models(settings: Settings) -> Iterator[ReadModels]:
    with open_engine(settings) as engine:
        yield ReadModels(engine)
