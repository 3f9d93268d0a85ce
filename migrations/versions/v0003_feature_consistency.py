"""Training-serving skew, by feature and by what the reader had missed."""

from alembic import op

revision = "0003"
down_revision: str | None = "0002"

_STATEMENTS = (
    """
    CREATE TABLE feature_consistency (
      feature_set TEXT NOT NULL,
      feature TEXT NOT NULL,
      lag TEXT NOT NULL,
      compared BIGINT NOT NULL,
      different BIGINT NOT NULL,
      PRIMARY KEY (feature_set, feature, lag)
    )
    """,
)
_BACK = ("DROP TABLE feature_consistency",)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    for statement in _BACK:
        op.execute(statement)
