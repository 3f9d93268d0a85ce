"""Queries by the beginning of a transaction id, which one simulated run has in common.

Every function blocks, and raises UnavailableError where PostgreSQL does not answer.
"""

from typing import Any

from sqlalchemy import Engine, text

from projections.readmodels.storage.connecting import transaction

_ALERTS = "SELECT count(*) FROM alerts WHERE starts_with(transaction_id, :prefix)"
_DECISIONS = (
    "SELECT transaction_id, outcome, score, source_partition, source_offset"
    " FROM decisions WHERE starts_with(transaction_id, :prefix)"
)


def count_alerts(engine: Engine, prefix: str) -> int:
    with transaction(engine) as connection:
        return int(connection.scalar(text(_ALERTS), {"prefix": prefix}) or 0)


def decisions(engine: Engine, prefix: str) -> list[tuple[Any, ...]]:
    """(transaction id, outcome, score, partition, offset) each."""
    with transaction(engine) as connection:
        rows = connection.execute(text(_DECISIONS), {"prefix": prefix}).all()
        return [tuple(row) for row in rows]
