"""Stored measurements of monitored models: the newest ones, in the table `model_health`.

They are measured in operations/monitoring and read through queries/read_models.py.
"""

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import Engine, delete, func, insert, select, text

from projections.readmodels.queries.results import MeasuredHealth
from projections.readmodels.storage import tables
from projections.readmodels.storage.connecting import transaction


def keep(engine: Engine, rows: Sequence[MeasuredHealth]) -> None:
    """Replaces all stored rows. Raises UnavailableError."""
    with transaction(engine) as connection:
        # Monitors of two hosts may replace them at once; readers go on meanwhile.
        connection.execute(text("LOCK TABLE model_health IN EXCLUSIVE MODE"))
        connection.execute(delete(tables.model_health))
        if rows:
            connection.execute(insert(tables.model_health), [asdict(row) for row in rows])


def measured_at(engine: Engine) -> int | None:
    """When the stored rows were measured, microseconds UTC. Raises UnavailableError."""
    with transaction(engine) as connection:
        found: int | None = connection.scalar(select(func.max(tables.model_health.c.measured_time)))
        return found
