"""Requests for what takes two people, and who approved it."""

from alembic import op

revision = "0016"
down_revision: str | None = "0015"


def upgrade() -> None:
    op.execute(
        "ALTER TABLE case_events ADD COLUMN wanted TEXT, ADD COLUMN request TEXT,"
        " ADD COLUMN approved_by TEXT"
    )
    op.execute("ALTER TABLE cases ADD COLUMN awaiting INTEGER NOT NULL DEFAULT 0")


def downgrade() -> None:
    op.execute("ALTER TABLE cases DROP COLUMN awaiting")
    op.execute(
        "ALTER TABLE case_events DROP COLUMN wanted, DROP COLUMN request, DROP COLUMN approved_by"
    )
