"""Turns of the scheduled replay of past decisions."""

from alembic import op

revision = "0017"
down_revision: str | None = "0016"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE replay_checks (
          turn BIGINT PRIMARY KEY,
          begun_time TIMESTAMP WITH TIME ZONE NOT NULL,
          looked_time TIMESTAMP WITH TIME ZONE NOT NULL,
          ended_time TIMESTAMP WITH TIME ZONE,
          records BIGINT NOT NULL,
          compared INTEGER NOT NULL,
          different INTEGER NOT NULL,
          causes TEXT NOT NULL,
          failed TEXT NOT NULL
        )
        """
    )


def downgrade() -> None:
    op.execute("DROP TABLE replay_checks")
