"""Cases: the alerts of one payer in one day, and what people did about them.

Of alerts that were raised before, the amount in the base currency is not known.
"""

from alembic import op

revision = "0011"
down_revision: str | None = "0009"

_UP = (
    "ALTER TABLE alerts ADD COLUMN base_amount bigint, ADD COLUMN case_id text",
    # As domain/cases.py has it.
    """
    UPDATE alerts SET case_id = 'case-' || left(encode(sha256(convert_to(
      CASE WHEN customer_id IS NOT NULL THEN 'customer:' || customer_id
        WHEN card_id IS NOT NULL THEN 'card:' || card_id
        ELSE 'transaction:' || transaction_id END
      || ':' || floor(extract(epoch FROM timestamp) / 86400)::bigint, 'UTF8')), 'hex'), 20)
    """,
    "ALTER TABLE alerts ALTER COLUMN case_id SET NOT NULL",
    "CREATE INDEX alerts_by_case ON alerts (case_id)",
    """
    CREATE TABLE case_events (
      event_id text PRIMARY KEY,
      case_id text NOT NULL,
      action text NOT NULL,
      by text NOT NULL,
      known_time timestamptz NOT NULL,
      state text,
      "to" text,
      verdict text,
      transactions text[],
      note text,
      source_topic text NOT NULL,
      source_partition integer NOT NULL,
      source_offset bigint NOT NULL
    )
    """,
    "CREATE INDEX case_events_by_case ON case_events (case_id, source_offset)",
    """
    CREATE TABLE cases (
      case_id text PRIMARY KEY,
      payer_kind text NOT NULL,
      payer_id text NOT NULL,
      alerts integer NOT NULL,
      declined integer NOT NULL,
      first_alert_time timestamptz NOT NULL,
      last_alert_time timestamptz NOT NULL,
      base_amount numeric NOT NULL,
      expected_loss numeric NOT NULL,
      state text NOT NULL,
      assignee text,
      verdict text,
      handled_time timestamptz,
      handled_by text
    )
    """,
    """
    INSERT INTO cases SELECT case_id,
      CASE WHEN min(customer_id) IS NOT NULL THEN 'customer' WHEN min(card_id) IS NOT NULL
        THEN 'card' ELSE 'transaction' END,
      coalesce(min(customer_id), min(card_id), min(transaction_id)), count(*),
      count(*) FILTER (WHERE outcome = 'decline'), min(raised_time), max(raised_time), 0, 0, 'open'
    FROM alerts GROUP BY case_id
    """,
    "CREATE INDEX cases_by_state ON cases (state, first_alert_time)",
    "CREATE INDEX cases_by_payer ON cases (payer_id, first_alert_time)",
)
_DOWN = (
    "DROP TABLE cases",
    "DROP TABLE case_events",
    "ALTER TABLE alerts DROP COLUMN case_id, DROP COLUMN base_amount",
)


def upgrade() -> None:
    for statement in _UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in _DOWN:
        op.execute(statement)
