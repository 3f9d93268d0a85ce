"""Which suppression silences an alert; no alert of before has one."""

from alembic import op

revision = "0014"
down_revision: str | None = "0013"


def upgrade() -> None:
    op.execute("ALTER TABLE alerts ADD COLUMN suppressed_by TEXT")


def downgrade() -> None:
    op.execute("ALTER TABLE alerts DROP COLUMN suppressed_by")
