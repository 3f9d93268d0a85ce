"""Transactions, decisions and feature vectors in partitions of time, and their ids beside.

Rows are carried over. See docs/adr/0028-partitions-by-event-time.md.
"""

from alembic import op

revision = "0009"
down_revision: str | None = "0008"

_TIMES = {
    "transactions": "timestamp",
    "decisions": "timestamp",
    "feature_vectors": "event_timestamp",
}
_INDEXES: dict[str, dict[str, str]] = {
    "transactions": {
        "transactions_by_card": "(card_id, timestamp)",
        "transactions_by_customer": "(customer_id, timestamp)",
        "transactions_by_merchant": "(merchant_id, timestamp)",
    },
    "decisions": {
        "decisions_by_card": "(card_id, known_time, transaction_id)",
        "decisions_by_customer": "(customer_id, known_time, transaction_id)",
        "decisions_by_known_time": "(known_time, transaction_id)",
        "decisions_by_merchant": "(merchant_id, known_time, transaction_id)",
        "decisions_by_outcome": "(outcome, known_time, transaction_id)",
        "decisions_by_source": "(source_partition, source_offset)",
    },
    "feature_vectors": {},
}
_KEYS = {
    "transactions": "transaction_id, timestamp",
    "decisions": "transaction_id, timestamp",
    "feature_vectors": "event_timestamp, transaction_id",
}
# Within a month rows mostly lie in the order of time: an index of blocks is enough.
_BY_TIME = {"transactions_by_time": "USING brin (timestamp)"}
_BY_TIME_BEFORE = {
    "transactions": {"transactions_by_time": "(timestamp)"},
    "feature_vectors": {"feature_vectors_by_time": "(event_timestamp)"},
}
_BESIDE = (
    """
    CREATE TABLE transaction_ids (
      transaction_id TEXT NOT NULL,
      timestamp TIMESTAMP WITH TIME ZONE NOT NULL,
      known_time TIMESTAMP WITH TIME ZONE NOT NULL,
      PRIMARY KEY (transaction_id)
    )
    """,
    "INSERT INTO transaction_ids SELECT transaction_id, timestamp, known_time FROM transactions",
    """
    CREATE TABLE feature_vector_ids (
      transaction_id TEXT NOT NULL,
      event_timestamp TIMESTAMP WITH TIME ZONE NOT NULL,
      PRIMARY KEY (transaction_id)
    )
    """,
    "INSERT INTO feature_vector_ids SELECT transaction_id, event_timestamp FROM feature_vectors",
    """
    CREATE TABLE kept_months (
      name TEXT NOT NULL,
      since TIMESTAMP WITH TIME ZONE,
      PRIMARY KEY (name)
    )
    """,
    "INSERT INTO kept_months VALUES ('transactions', NULL)",
)
# Names and widths are those of projections/readmodels/storage/time_partitions.py.
_PARTITIONS = """
    DO $$
    DECLARE span record;
    BEGIN
      FOR span IN
        SELECT DISTINCT date_trunc(width, at) AS first, width, form FROM (
          SELECT DISTINCT date_trunc('month', {time} AT TIME ZONE 'UTC') AS at FROM whole
        ) AS months JOIN (VALUES (TRUE, 'year', 'YYYY'), (FALSE, 'month', 'YYYY_MM'))
          AS widths (long_ago, width, form)
        ON long_ago = (at < date_trunc('year', now() AT TIME ZONE 'UTC') - interval '1 year')
      LOOP
        EXECUTE format(
          'CREATE TABLE %I PARTITION OF {table} FOR VALUES FROM (%L) TO (%L)',
          '{table}_' || to_char(span.first, span.form),
          span.first AT TIME ZONE 'UTC',
          (span.first + ('1 ' || span.width)::interval) AT TIME ZONE 'UTC'
        );
      END LOOP;
    END $$
"""


def upgrade() -> None:
    for table, time in _TIMES.items():
        _remade(table, f"PARTITION BY RANGE ({time})", _PARTITIONS.format(table=table, time=time))
        by_time = _BY_TIME if table == "transactions" else {}
        _indexed(table, _KEYS[table], _INDEXES[table] | by_time)
    for statement in _BESIDE:
        op.execute(statement)


def downgrade() -> None:
    for table in ("kept_months", "feature_vector_ids", "transaction_ids"):
        op.execute(f"DROP TABLE {table}")
    for table in _TIMES:
        _remade(table, "", "")
        _indexed(table, "transaction_id", _INDEXES[table] | _BY_TIME_BEFORE.get(table, {}))


def _remade(table: str, kind: str, partitions: str) -> None:
    """Columns and rows in a new table; its indexes are made after it is filled."""
    op.execute(f"ALTER TABLE {table} RENAME TO whole")
    op.execute(f"CREATE TABLE {table} (LIKE whole) {kind}")
    if partitions:
        op.execute(partitions)
    op.execute(f"INSERT INTO {table} SELECT * FROM whole")
    op.execute("DROP TABLE whole")


def _indexed(table: str, key: str, indexes: dict[str, str]) -> None:
    op.execute(f"ALTER TABLE {table} ADD PRIMARY KEY ({key})")
    for name, columns in indexes.items():
        op.execute(f"CREATE INDEX {name} ON {table} {columns}")
