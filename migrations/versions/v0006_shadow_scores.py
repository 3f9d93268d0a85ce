"""Shadow scores of challengers, and an index of decisions by their place in the log."""

from alembic import op

revision = "0006"
down_revision: str | None = "0005"

_STATEMENTS = (
    """
    CREATE TABLE shadow_scores (
      model_hash TEXT NOT NULL,
      transaction_id TEXT NOT NULL,
      score DOUBLE PRECISION,
      outcome TEXT,
      unscored TEXT,
      vector TEXT NOT NULL,
      "timestamp" TIMESTAMPTZ NOT NULL,
      known_time TIMESTAMPTZ NOT NULL,
      source_topic TEXT NOT NULL,
      source_partition INTEGER NOT NULL,
      source_offset BIGINT NOT NULL,
      PRIMARY KEY (model_hash, transaction_id)
    )
    """,
    "CREATE INDEX shadow_scores_by_time ON shadow_scores (model_hash, timestamp)",
    "CREATE INDEX decisions_by_source ON decisions (source_partition, source_offset)",
)
_BACK = ("DROP INDEX decisions_by_source", "DROP TABLE shadow_scores")


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    for statement in _BACK:
        op.execute(statement)
