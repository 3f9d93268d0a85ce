"""What rules did in decisions, and their words in decisions and alerts.

Rows that were projected before have none of it until the read models are rebuilt.
"""

from alembic import op

revision = "0012"
down_revision: str | None = "0011"

_COLUMNS = (
    ("decisions", "rules_version", "BIGINT"),
    ("decisions", "rules_fired", "SMALLINT[]"),
    ("decisions", "rules_shadow", "SMALLINT[]"),
    ("decisions", "rules_not_evaluable", "TEXT"),
    ("decisions", "rule_words", "JSONB"),
    ("alerts", "rule_words", "JSONB"),
)


def upgrade() -> None:
    for table, name, kind in _COLUMNS:
        op.execute(f"ALTER TABLE {table} ADD COLUMN {name} {kind}")


def downgrade() -> None:
    for table, name, _ in _COLUMNS:
        op.execute(f"ALTER TABLE {table} DROP COLUMN {name}")
