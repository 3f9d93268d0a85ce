"""Words of the reason codes, for SQL."""

from alembic import op

revision = "0005"
down_revision: str | None = "0004"


def upgrade() -> None:
    op.execute("CREATE TABLE reason_words (code TEXT NOT NULL PRIMARY KEY, words TEXT NOT NULL)")


def downgrade() -> None:
    op.execute("DROP TABLE reason_words")
