"""Transactions, decisions, labels, alerts, daily figures and the positions of projections."""

from alembic import op

revision = "0001"
down_revision: str | None = None

_STATEMENTS = (
    """
    CREATE TABLE transactions (
      transaction_id TEXT NOT NULL,
      timestamp TIMESTAMP WITH TIME ZONE NOT NULL,
      known_time TIMESTAMP WITH TIME ZONE NOT NULL,
      amount BIGINT NOT NULL,
      currency TEXT NOT NULL,
      base_amount BIGINT NOT NULL,
      card_id TEXT,
      customer_id TEXT,
      merchant_id TEXT,
      card_bin TEXT,
      card_last4 TEXT,
      mcc TEXT,
      device_id TEXT,
      ip TEXT,
      country TEXT,
      lat DOUBLE PRECISION,
      lon DOUBLE PRECISION,
      channel TEXT,
      origin TEXT NOT NULL,
      digest TEXT NOT NULL,
      import_origin TEXT,
      import_line BIGINT,
      source_topic TEXT NOT NULL,
      source_partition INTEGER NOT NULL,
      source_offset BIGINT NOT NULL,
      PRIMARY KEY (transaction_id)
    )
    """,
    "CREATE INDEX transactions_by_card ON transactions (card_id, timestamp)",
    "CREATE INDEX transactions_by_customer ON transactions (customer_id, timestamp)",
    "CREATE INDEX transactions_by_merchant ON transactions (merchant_id, timestamp)",
    "CREATE INDEX transactions_by_time ON transactions (timestamp)",
    """
    CREATE TABLE decisions (
      transaction_id TEXT NOT NULL,
      outcome TEXT NOT NULL,
      score DOUBLE PRECISION NOT NULL,
      reasons TEXT[] NOT NULL,
      path TEXT NOT NULL,
      flags TEXT[] NOT NULL,
      timestamp TIMESTAMP WITH TIME ZONE NOT NULL,
      known_time TIMESTAMP WITH TIME ZONE NOT NULL,
      amount BIGINT NOT NULL,
      currency TEXT NOT NULL,
      base_amount BIGINT NOT NULL,
      card_id TEXT,
      customer_id TEXT,
      merchant_id TEXT,
      model_id TEXT NOT NULL,
      model_hash TEXT NOT NULL,
      policy_version BIGINT NOT NULL,
      threshold_review DOUBLE PRECISION NOT NULL,
      threshold_step_up DOUBLE PRECISION NOT NULL,
      threshold_decline DOUBLE PRECISION NOT NULL,
      feature_set TEXT NOT NULL,
      features DOUBLE PRECISION[] NOT NULL,
      versions JSONB NOT NULL,
      timings_us JSONB NOT NULL,
      fingerprint TEXT NOT NULL,
      source_topic TEXT NOT NULL,
      source_partition INTEGER NOT NULL,
      source_offset BIGINT NOT NULL,
      PRIMARY KEY (transaction_id)
    )
    """,
    "CREATE INDEX decisions_by_card ON decisions (card_id, known_time, transaction_id)",
    "CREATE INDEX decisions_by_customer ON decisions (customer_id, known_time, transaction_id)",
    "CREATE INDEX decisions_by_known_time ON decisions (known_time, transaction_id)",
    "CREATE INDEX decisions_by_merchant ON decisions (merchant_id, known_time, transaction_id)",
    "CREATE INDEX decisions_by_outcome ON decisions (outcome, known_time, transaction_id)",
    """
    CREATE TABLE labels (
      transaction_id TEXT NOT NULL,
      event_id TEXT NOT NULL,
      value INTEGER NOT NULL,
      kind TEXT NOT NULL,
      reporter TEXT NOT NULL,
      reference TEXT NOT NULL,
      known_time TIMESTAMP WITH TIME ZONE NOT NULL,
      source_topic TEXT NOT NULL,
      source_partition INTEGER NOT NULL,
      source_offset BIGINT NOT NULL,
      PRIMARY KEY (transaction_id, event_id)
    )
    """,
    "CREATE INDEX labels_by_known_time ON labels (known_time)",
    """
    CREATE TABLE alerts (
      alert_id TEXT NOT NULL,
      transaction_id TEXT NOT NULL,
      state TEXT NOT NULL,
      outcome TEXT NOT NULL,
      score DOUBLE PRECISION NOT NULL,
      reasons TEXT[] NOT NULL,
      amount BIGINT NOT NULL,
      currency TEXT NOT NULL,
      timestamp TIMESTAMP WITH TIME ZONE NOT NULL,
      card_id TEXT,
      customer_id TEXT,
      merchant_id TEXT,
      raised_time TIMESTAMP WITH TIME ZONE NOT NULL,
      delivered_time TIMESTAMP WITH TIME ZONE,
      receiver TEXT,
      attempts INTEGER,
      source_topic TEXT NOT NULL,
      source_partition INTEGER NOT NULL,
      source_offset BIGINT NOT NULL,
      PRIMARY KEY (alert_id)
    )
    """,
    "CREATE INDEX alerts_by_card ON alerts (card_id, raised_time, alert_id)",
    "CREATE INDEX alerts_by_customer ON alerts (customer_id, raised_time, alert_id)",
    "CREATE INDEX alerts_by_merchant ON alerts (merchant_id, raised_time, alert_id)",
    "CREATE INDEX alerts_by_raised_time ON alerts (raised_time, alert_id)",
    "CREATE INDEX alerts_by_transaction ON alerts (transaction_id)",
    """
    CREATE TABLE merchant_daily (
      day DATE NOT NULL,
      merchant_id TEXT NOT NULL,
      transactions BIGINT NOT NULL,
      base_amount NUMERIC(38, 0) NOT NULL,
      approved BIGINT NOT NULL,
      reviewed BIGINT NOT NULL,
      stepped_up BIGINT NOT NULL,
      declined BIGINT NOT NULL,
      fraud BIGINT NOT NULL,
      fraud_base_amount NUMERIC(38, 0) NOT NULL,
      genuine BIGINT NOT NULL,
      PRIMARY KEY (day, merchant_id)
    )
    """,
    "CREATE INDEX merchant_daily_by_merchant ON merchant_daily (merchant_id, day)",
    """
    CREATE TABLE customer_daily (
      day DATE NOT NULL,
      customer_id TEXT NOT NULL,
      transactions BIGINT NOT NULL,
      base_amount NUMERIC(38, 0) NOT NULL,
      approved BIGINT NOT NULL,
      reviewed BIGINT NOT NULL,
      stepped_up BIGINT NOT NULL,
      declined BIGINT NOT NULL,
      fraud BIGINT NOT NULL,
      fraud_base_amount NUMERIC(38, 0) NOT NULL,
      genuine BIGINT NOT NULL,
      PRIMARY KEY (day, customer_id)
    )
    """,
    "CREATE INDEX customer_daily_by_customer ON customer_daily (customer_id, day)",
    """
    CREATE TABLE projection_positions (
      projection TEXT NOT NULL,
      topic TEXT NOT NULL,
      partition INTEGER NOT NULL,
      next_offset BIGINT NOT NULL,
      epoch BIGINT NOT NULL,
      projected BIGINT NOT NULL,
      void BIGINT NOT NULL,
      dead BIGINT NOT NULL,
      updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
      PRIMARY KEY (projection, topic, partition)
    )
    """,
    """
    CREATE VIEW current_labels AS
    SELECT DISTINCT ON (transaction_id) *
    FROM labels
    ORDER BY transaction_id, known_time DESC, source_offset DESC
    """,
)
_BACK = (
    "DROP VIEW current_labels",
    "DROP TABLE projection_positions",
    "DROP TABLE customer_daily",
    "DROP TABLE merchant_daily",
    "DROP TABLE alerts",
    "DROP TABLE labels",
    "DROP TABLE decisions",
    "DROP TABLE transactions",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    for statement in _BACK:
        op.execute(statement)
