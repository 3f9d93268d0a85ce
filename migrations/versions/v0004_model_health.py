"""Alerts about models, and the newest measurement of each model's health."""

from alembic import op

revision = "0004"
down_revision: str | None = "0003"

_STATEMENTS = (
    """
    CREATE TABLE model_alerts (
      alert_id TEXT PRIMARY KEY,
      model_id TEXT NOT NULL,
      model_hash TEXT NOT NULL,
      state TEXT NOT NULL,
      measure TEXT NOT NULL,
      value DOUBLE PRECISION NOT NULL,
      threshold DOUBLE PRECISION NOT NULL,
      summary TEXT NOT NULL,
      features TEXT[] NOT NULL,
      since TIMESTAMP WITH TIME ZONE NOT NULL,
      until TIMESTAMP WITH TIME ZONE NOT NULL,
      raised_time TIMESTAMP WITH TIME ZONE NOT NULL,
      delivered_time TIMESTAMP WITH TIME ZONE,
      receiver TEXT,
      attempts INTEGER,
      source_topic TEXT NOT NULL,
      source_partition INTEGER NOT NULL,
      source_offset BIGINT NOT NULL
    )
    """,
    "CREATE INDEX model_alerts_by_raised_time ON model_alerts (raised_time, alert_id)",
    """
    CREATE TABLE model_health (
      model_hash TEXT NOT NULL,
      measure TEXT NOT NULL,
      feature TEXT NOT NULL,
      model_id TEXT NOT NULL,
      value DOUBLE PRECISION,
      level TEXT NOT NULL,
      measured_time TIMESTAMP WITH TIME ZONE NOT NULL,
      PRIMARY KEY (model_hash, measure, feature)
    )
    """,
)
_BACK = ("DROP TABLE model_health", "DROP TABLE model_alerts")


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    for statement in _BACK:
        op.execute(statement)
