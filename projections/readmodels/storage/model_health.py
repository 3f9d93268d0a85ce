"""Owns keeping the newest measurement of the models that are watched; measures nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import Engine, delete, func, insert, select

from projections.readmodels.queries.results import MeasuredHealth
from projections.readmodels.storage import tables
from projections.readmodels.storage.connecting import transaction


def keep(engine: Engine, rows: Sequence[MeasuredHealth]) -> None:
    """In place of all that was kept before. Raises UnavailableError."""
    with transaction(engine) as connection:
        connection.execute(delete(tables.model_health))
        if rows:
            connection.execute(insert(tables.model_health), [asdict(row) for row in rows])


def measured_at(engine: Engine) -> int | None:
    """When the rows that are kept were measured, microseconds UTC. Raises UnavailableError."""
    with transaction(engine) as connection:
        found: int | None = connection.scalar(select(func.max(tables.model_health.c.measured_time)))
        return found
