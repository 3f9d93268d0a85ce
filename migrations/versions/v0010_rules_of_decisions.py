"""What rules did in decisions, and their words.

Decisions that were projected before have none of it until the read models are rebuilt.
"""

from alembic import op

revision = "0010"
down_revision: str | None = "0009"

_COLUMNS = {
    "rules_version": "BIGINT",
    "rules_fired": "SMALLINT[]",
    "rules_shadow": "SMALLINT[]",
    "rules_not_evaluable": "TEXT",
    "rule_words": "JSONB",
}


def upgrade() -> None:
    for name, kind in _COLUMNS.items():
        op.execute(f"ALTER TABLE decisions ADD COLUMN {name} {kind}")


def downgrade() -> None:
    for name in _COLUMNS:
        op.execute(f"ALTER TABLE decisions DROP COLUMN {name}")
