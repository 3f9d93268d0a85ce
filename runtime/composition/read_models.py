"""Composition of the read models: connections to PostgreSQL, and projections into it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Engine

from commands.policy.rules import rule_sets
from projections.offline.adapters.postgres_vectors import PostgresVectors
from projections.offline.port import VectorStore
from projections.ports import BatchProjection
from projections.readmodels.adapters.postgres import transactions_projection
from projections.readmodels.queries.read_models import ReadModels
from projections.readmodels.queries.rule_statistics import RuleSets
from projections.readmodels.storage.connecting import build_engine
from projections.settings import PostgresSettings
from runtime.composition.log import open_log
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


@contextmanager
def open_figures(settings: Settings) -> Iterator[tuple[Engine, Callable[[], RuleSets]]]:
    """For queries over months of decisions; the rules of all sets are read from the log if asked.

    Raises LogUnavailableError then.
    """

    def published() -> RuleSets:
        with open_log(settings) as log:
            return rule_sets(log)

    with open_engine(settings, LONG_SECONDS) as engine:
        yield engine, published


def projections_into(engine: Engine) -> tuple[BatchProjection, VectorStore]:
    """Of transactions, and of the vectors of this version's catalogue; `engine` is a writer's."""
    return transactions_projection(engine), PostgresVectors(engine)
