"""Results of step-ups, and the outcome of each payment in the end."""

from alembic import op

revision = "0015"
down_revision: str | None = "0014"

_STATEMENTS = (
    """
    CREATE TABLE step_ups (
      transaction_id TEXT PRIMARY KEY,
      result TEXT NOT NULL,
      final_outcome TEXT NOT NULL,
      reporter TEXT NOT NULL,
      reference TEXT,
      ended_time TIMESTAMP WITH TIME ZONE NOT NULL,
      known_time TIMESTAMP WITH TIME ZONE NOT NULL,
      source_topic TEXT NOT NULL,
      source_partition INTEGER NOT NULL,
      source_offset BIGINT NOT NULL
    )
    """,
    """
    CREATE VIEW final_outcomes AS
    SELECT d.transaction_id, d.timestamp, d.outcome, s.result AS step_up_result,
      coalesce(s.final_outcome, d.outcome) AS final_outcome
    FROM decisions d LEFT JOIN step_ups s USING (transaction_id)
    """,
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP VIEW final_outcomes")
    op.execute("DROP TABLE step_ups")
