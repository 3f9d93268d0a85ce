"""The current label of a transaction is its last in the log, whichever clock was ahead."""

from alembic import op

revision = "0007"
down_revision: str | None = "0006"

_VIEW = """
    CREATE OR REPLACE VIEW current_labels AS
    SELECT DISTINCT ON (transaction_id) *
    FROM labels
    ORDER BY transaction_id, {}
"""


def upgrade() -> None:
    op.execute(_VIEW.format("source_offset DESC"))


def downgrade() -> None:
    op.execute(_VIEW.format("known_time DESC, source_offset DESC"))
