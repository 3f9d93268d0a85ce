"""Feast's offline table; its feature columns follow the catalogue (migrations.upgrade)."""

from alembic import op

revision = "0002"
down_revision: str | None = "0001"

_STATEMENTS = (
    """
    CREATE TABLE feature_vectors (
      transaction_id TEXT NOT NULL,
      event_timestamp TIMESTAMP WITH TIME ZONE NOT NULL,
      created TIMESTAMP WITH TIME ZONE NOT NULL,
      feature_set TEXT NOT NULL,
      PRIMARY KEY (transaction_id)
    )
    """,
    "CREATE INDEX feature_vectors_by_time ON feature_vectors (event_timestamp)",
)
_BACK = ("DROP TABLE feature_vectors",)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    for statement in _BACK:
        op.execute(statement)
