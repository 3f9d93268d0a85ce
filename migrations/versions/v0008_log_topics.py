"""Ids of the topics that the read models were made from."""

from alembic import op

revision = "0008"
down_revision: str | None = "0007"


def upgrade() -> None:
    op.execute("CREATE TABLE log_topics (topic text PRIMARY KEY, id text NOT NULL)")


def downgrade() -> None:
    op.execute("DROP TABLE log_topics")
