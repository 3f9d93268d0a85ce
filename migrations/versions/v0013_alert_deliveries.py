"""The delivery log of alerts, which is folded with alerts and cases: all from the beginning."""

from alembic import op

revision = "0013"
down_revision: str | None = "0012"

_STATEMENTS = (
    """
    CREATE TABLE alert_deliveries (
      event_id TEXT PRIMARY KEY,
      alert_id TEXT NOT NULL,
      route TEXT NOT NULL,
      key TEXT NOT NULL,
      state TEXT NOT NULL,
      receiver TEXT NOT NULL,
      attempts INTEGER NOT NULL,
      outcome TEXT NOT NULL,
      alerts INTEGER NOT NULL,
      known_time TIMESTAMP WITH TIME ZONE NOT NULL,
      source_topic TEXT NOT NULL,
      source_partition INTEGER NOT NULL,
      source_offset BIGINT NOT NULL
    )
    """,
    "CREATE INDEX alert_deliveries_by_known_time ON alert_deliveries (known_time, event_id)",
    "CREATE INDEX alert_deliveries_by_alert ON alert_deliveries (alert_id)",
    "CREATE INDEX alert_deliveries_by_key ON alert_deliveries (key)",
    # Deliveries of before are in the log alone.
    "UPDATE projection_positions SET epoch = epoch + 1, next_offset = 0, projected = 0, void = 0,"
    " dead = 0 WHERE projection = 'readmodels' AND topic LIKE 'retrace.alerts%'",
    "TRUNCATE alerts, model_alerts, case_events, cases",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE alert_deliveries")
