"""Composition of the read models: connections to PostgreSQL, and projections into it."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine

from projections.offline.adapters.postgres_vectors import PostgresVectors
from projections.offline.port import VectorStore
from projections.ports import BatchProjection
from projections.readmodels.adapters.postgres import transactions_projection
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


def projections_into(engine: Engine) -> tuple[BatchProjection, VectorStore]:
    """Of transactions, and of the vectors of this version's catalogue; `engine` is a writer's."""
    return transactions_projection(engine), PostgresVectors(engine)
