"""Contents of whole tables, and the daily figures computed anew by SQL."""

from typing import Any

from sqlalchemy import Engine, text

from projections.readmodels.storage.connecting import transaction
from projections.readmodels.storage.tables import FIGURES

TABLES = (
    "transactions",
    "decisions",
    "step_ups",
    "labels",
    "alerts",
    "model_alerts",
    "alert_deliveries",
    "merchant_daily",
    "customer_daily",
    "case_events",
    "cases",
)


def dump(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    return {name: rows(engine, f"SELECT * FROM {name} ORDER BY 1, 2") for name in TABLES}


def rows(engine: Engine, query: str) -> list[tuple[Any, ...]]:
    with transaction(engine) as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def kept_daily(engine: Engine, entity: str) -> list[tuple[Any, ...]]:
    columns = ", ".join(FIGURES)
    return rows(engine, f"SELECT day, {entity}_id, {columns} FROM {entity}_daily ORDER BY 1, 2")


def recomputed_daily(engine: Engine, entity: str) -> list[tuple[Any, ...]]:
    """The query that docs/sql.md gives for checking."""
    return rows(
        engine,
        f"""
        SELECT (t.timestamp AT TIME ZONE 'UTC')::date AS day, t.{entity}_id, count(*),
          sum(t.base_amount),
          count(*) FILTER (WHERE d.outcome = 'approve'),
          count(*) FILTER (WHERE d.outcome = 'review'),
          count(*) FILTER (WHERE d.outcome = 'step_up'),
          count(*) FILTER (WHERE d.outcome = 'decline'),
          count(*) FILTER (WHERE l.value = 1),
          coalesce(sum(t.base_amount) FILTER (WHERE l.value = 1), 0),
          count(*) FILTER (WHERE l.value = 0)
        FROM transactions t
        LEFT JOIN decisions d USING (transaction_id)
        LEFT JOIN current_labels l USING (transaction_id)
        WHERE t.{entity}_id IS NOT NULL
        GROUP BY 1, 2 ORDER BY 1, 2
        """,
    )
