"""Owns opening the stores that the API reads from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from projections.readmodels.connecting import build_engine
from projections.readmodels.queries import ReadModels
from projections.settings import PostgresSettings
from runtime.settings import Settings


@contextmanager
def open_read_models(settings: Settings) -> Iterator[ReadModels]:
    engine = build_engine(PostgresSettings(settings.database_url))
    try:
        yield ReadModels(engine)
    finally:
        engine.dispose()
