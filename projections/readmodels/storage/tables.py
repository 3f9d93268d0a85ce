"""Tables of the read models.

Rows hold nothing that the log does not give, no clock, no serial: a rebuild gives equal rows
(`model_health` alone is a measurement). `docs/sql.md` explains every column. Feature columns of
`feature_vectors` follow the catalogue and are not declared here (docs/adr/0005).
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    Double,
    Index,
    Integer,
    MetaData,
    Numeric,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from projections.readmodels.storage.types import Micros

METADATA = MetaData()
# Views are made by migrations and not compared by `alembic check`.
VIEWS = MetaData()


def _entities() -> list[Column[Any]]:
    return [Column("card_id", Text), Column("customer_id", Text), Column("merchant_id", Text)]


def _source() -> list[Column[Any]]:
    """Where in the log the row comes from."""
    return [
        Column("source_topic", Text, nullable=False),
        Column("source_partition", Integer, nullable=False),
        Column("source_offset", BigInteger, nullable=False),
    ]


transactions = Table(
    "transactions",
    METADATA,
    Column("transaction_id", Text, primary_key=True),
    Column("timestamp", Micros, nullable=False),
    Column("known_time", Micros, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("base_amount", BigInteger, nullable=False),
    *_entities(),
    Column("card_bin", Text),
    Column("card_last4", Text),
    Column("mcc", Text),
    Column("device_id", Text),
    Column("ip", Text),
    Column("country", Text),
    Column("lat", Double),
    Column("lon", Double),
    Column("channel", Text),
    Column("origin", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("import_origin", Text),
    Column("import_line", BigInteger),
    *_source(),
    Index("transactions_by_time", "timestamp"),
    Index("transactions_by_card", "card_id", "timestamp"),
    Index("transactions_by_customer", "customer_id", "timestamp"),
    Index("transactions_by_merchant", "merchant_id", "timestamp"),
)

decisions = Table(
    "decisions",
    METADATA,
    Column("transaction_id", Text, primary_key=True),
    Column("outcome", Text, nullable=False),
    Column("score", Double, nullable=False),
    Column("reasons", ARRAY(Text), nullable=False),
    Column("path", Text, nullable=False),
    Column("flags", ARRAY(Text), nullable=False),
    Column("timestamp", Micros, nullable=False),
    Column("known_time", Micros, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("base_amount", BigInteger, nullable=False),
    *_entities(),
    Column("model_id", Text, nullable=False),
    Column("model_hash", Text, nullable=False),
    Column("policy_version", BigInteger, nullable=False),
    Column("threshold_review", Double, nullable=False),
    Column("threshold_step_up", Double, nullable=False),
    Column("threshold_decline", Double, nullable=False),
    Column("feature_set", Text, nullable=False),
    Column("features", ARRAY(Double), nullable=False),
    Column("versions", JSONB, nullable=False),
    Column("timings_us", JSONB, nullable=False),
    Column("fingerprint", Text, nullable=False),
    *_source(),
    Index("decisions_by_known_time", "known_time", "transaction_id"),
    Index("decisions_by_outcome", "outcome", "known_time", "transaction_id"),
    Index("decisions_by_card", "card_id", "known_time", "transaction_id"),
    Index("decisions_by_customer", "customer_id", "known_time", "transaction_id"),
    Index("decisions_by_merchant", "merchant_id", "known_time", "transaction_id"),
    Index("decisions_by_source", "source_partition", "source_offset"),
)


def _label_columns() -> list[Column[Any]]:
    return [
        Column("transaction_id", Text, primary_key=True),
        Column("event_id", Text, primary_key=True),
        Column("value", Integer, nullable=False),
        Column("kind", Text, nullable=False),
        Column("reporter", Text, nullable=False),
        Column("reference", Text, nullable=False),
        Column("known_time", Micros, nullable=False),
        *_source(),
    ]


labels = Table("labels", METADATA, *_label_columns(), Index("labels_by_known_time", "known_time"))

current_labels = Table("current_labels", VIEWS, *_label_columns())

alerts = Table(
    "alerts",
    METADATA,
    Column("alert_id", Text, primary_key=True),
    Column("transaction_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("score", Double, nullable=False),
    Column("reasons", ARRAY(Text), nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("timestamp", Micros, nullable=False),
    *_entities(),
    Column("raised_time", Micros, nullable=False),
    Column("delivered_time", Micros),
    Column("receiver", Text),
    Column("attempts", Integer),
    *_source(),
    Index("alerts_by_raised_time", "raised_time", "alert_id"),
    Index("alerts_by_transaction", "transaction_id"),
    Index("alerts_by_card", "card_id", "raised_time", "alert_id"),
    Index("alerts_by_customer", "customer_id", "raised_time", "alert_id"),
    Index("alerts_by_merchant", "merchant_id", "raised_time", "alert_id"),
)

model_alerts = Table(
    "model_alerts",
    METADATA,
    Column("alert_id", Text, primary_key=True),
    Column("model_id", Text, nullable=False),
    Column("model_hash", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("measure", Text, nullable=False),
    Column("value", Double, nullable=False),
    Column("threshold", Double, nullable=False),
    Column("summary", Text, nullable=False),
    Column("features", ARRAY(Text), nullable=False),
    Column("since", Micros, nullable=False),
    Column("until", Micros, nullable=False),
    Column("raised_time", Micros, nullable=False),
    Column("delivered_time", Micros),
    Column("receiver", Text),
    Column("attempts", Integer),
    *_source(),
    Index("model_alerts_by_raised_time", "raised_time", "alert_id"),
)

FIGURES = (
    "transactions",
    "base_amount",
    "approved",
    "reviewed",
    "stepped_up",
    "declined",
    "fraud",
    "fraud_base_amount",
    "genuine",
)


def _daily(entity: str) -> Table:
    """Sums are numeric: large amounts cannot overflow them."""
    return Table(
        f"{entity}_daily",
        METADATA,
        Column("day", Date, primary_key=True),
        Column(f"{entity}_id", Text, primary_key=True),
        *(
            Column(name, Numeric(38, 0) if name.endswith("amount") else BigInteger, nullable=False)
            for name in FIGURES
        ),
        Index(f"{entity}_daily_by_{entity}", f"{entity}_id", "day"),
    )


merchant_daily = _daily("merchant")
customer_daily = _daily("customer")

feature_vectors = Table(
    "feature_vectors",
    METADATA,
    Column("transaction_id", Text, primary_key=True),
    Column("event_timestamp", Micros, nullable=False),
    Column("created", Micros, nullable=False),
    Column("feature_set", Text, nullable=False),
    Index("feature_vectors_by_time", "event_timestamp"),
)

feature_consistency = Table(
    "feature_consistency",
    METADATA,
    Column("feature_set", Text, primary_key=True),
    Column("feature", Text, primary_key=True),
    Column("lag", Text, primary_key=True),
    Column("compared", BigInteger, nullable=False),
    Column("different", BigInteger, nullable=False),
)

# Not folded from events: the newest measurement, with the time of a clock; replaced, not rebuilt.
model_health = Table(
    "model_health",
    METADATA,
    Column("model_hash", Text, primary_key=True),
    Column("measure", Text, primary_key=True),
    Column("feature", Text, primary_key=True),
    Column("model_id", Text, nullable=False),
    Column("value", Double),
    Column("level", Text, nullable=False),
    Column("measured_time", Micros, nullable=False),
)

reason_words = Table(
    "reason_words",
    METADATA,
    Column("code", Text, primary_key=True),
    Column("words", Text, nullable=False),
)

shadow_scores = Table(
    "shadow_scores",
    METADATA,
    Column("model_hash", Text, primary_key=True),
    Column("transaction_id", Text, primary_key=True),
    Column("score", Double),
    Column("outcome", Text),
    Column("unscored", Text),
    Column("vector", Text, nullable=False),
    Column("timestamp", Micros, nullable=False),
    Column("known_time", Micros, nullable=False),
    *_source(),
    Index("shadow_scores_by_time", "model_hash", "timestamp"),
)

projection_positions = Table(
    "projection_positions",
    METADATA,
    Column("projection", Text, primary_key=True),
    Column("topic", Text, primary_key=True),
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("next_offset", BigInteger, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("projected", BigInteger, nullable=False),
    Column("void", BigInteger, nullable=False),
    Column("dead", BigInteger, nullable=False),
    Column("updated_at", Micros, nullable=False),
)
