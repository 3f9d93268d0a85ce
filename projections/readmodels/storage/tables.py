"""Tables of the read models.

Rows hold nothing that the log does not give, no clock, no serial: a rebuild gives equal rows (but
of `model_health`, `replay_checks`). `docs/sql.md` explains every column. Feature columns of
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
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from projections.readmodels.storage.types import Micros

METADATA = MetaData()
# Views are made by migrations and not compared by `alembic check`.
VIEWS = MetaData()


def _keys(**types: Any) -> list[Column[Any]]:
    return [Column(name, kind, primary_key=True) for name, kind in types.items()]


def _required(**types: Any) -> list[Column[Any]]:
    return [Column(name, kind, nullable=False) for name, kind in types.items()]


def _optional(**types: Any) -> list[Column[Any]]:
    return [Column(name, kind) for name, kind in types.items()]


def _amounts() -> list[Column[Any]]:
    return _required(amount=BigInteger, currency=Text, base_amount=BigInteger)


def _entities() -> list[Column[Any]]:
    return _optional(card_id=Text, customer_id=Text, merchant_id=Text)


def _source() -> list[Column[Any]]:
    """Where in the log the row comes from."""
    return _required(source_topic=Text, source_partition=Integer, source_offset=BigInteger)


def _by_entity(table: str, *order: str) -> list[Index]:
    return [
        Index(f"{table}_by_{entity}", f"{entity}_id", *order)
        for entity in ("card", "customer", "merchant")
    ]


# Partitions by time, so that the key alone does not make an id unique: transaction_ids does
# (docs/adr/0028-partitions-by-event-time.md).
transactions = Table(
    "transactions",
    METADATA,
    *_keys(transaction_id=Text, timestamp=Micros),
    *_required(known_time=Micros),
    *_amounts(),
    *_entities(),
    *_optional(card_bin=Text, card_last4=Text, mcc=Text, device_id=Text, ip=Text),
    *_optional(country=Text, lat=Double, lon=Double, channel=Text),
    *_required(origin=Text, digest=Text),
    *_optional(import_origin=Text, import_line=BigInteger),
    *_source(),
    Index("transactions_by_time", "timestamp", postgresql_using="brin"),
    *_by_entity("transactions", "timestamp"),
    postgresql_partition_by="RANGE (timestamp)",
)

transaction_ids = Table(
    "transaction_ids",
    METADATA,
    *_keys(transaction_id=Text),
    *_required(timestamp=Micros, known_time=Micros),
)

decisions = Table(
    "decisions",
    METADATA,
    Column("transaction_id", Text, primary_key=True),
    *_required(outcome=Text, score=Double, reasons=ARRAY(Text), path=Text, flags=ARRAY(Text)),
    *_keys(timestamp=Micros),
    *_required(known_time=Micros),
    *_amounts(),
    *_entities(),
    *_required(model_id=Text, model_hash=Text, policy_version=BigInteger),
    *_required(threshold_review=Double, threshold_step_up=Double, threshold_decline=Double),
    *_required(feature_set=Text, features=ARRAY(Double), versions=JSONB, timings_us=JSONB),
    Column("fingerprint", Text, nullable=False),
    *_source(),
    *_optional(rules_version=BigInteger, rules_fired=ARRAY(SmallInteger)),
    *_optional(rules_shadow=ARRAY(SmallInteger), rules_not_evaluable=Text, rule_words=JSONB),
    Index("decisions_by_known_time", "known_time", "transaction_id"),
    Index("decisions_by_outcome", "outcome", "known_time", "transaction_id"),
    *_by_entity("decisions", "known_time", "transaction_id"),
    Index("decisions_by_source", "source_partition", "source_offset"),
    postgresql_partition_by="RANGE (timestamp)",
)


def _label_columns() -> list[Column[Any]]:
    return [
        *_keys(transaction_id=Text, event_id=Text),
        *_required(value=Integer, kind=Text, reporter=Text, reference=Text, known_time=Micros),
        *_source(),
    ]


step_ups = Table(
    "step_ups",
    METADATA,
    *_keys(transaction_id=Text),
    *_required(result=Text, final_outcome=Text, reporter=Text),
    *_optional(reference=Text),
    *_required(ended_time=Micros, known_time=Micros),
    *_source(),
)

labels = Table("labels", METADATA, *_label_columns(), Index("labels_by_known_time", "known_time"))

current_labels = Table("current_labels", VIEWS, *_label_columns())

alerts = Table(
    "alerts",
    METADATA,
    Column("alert_id", Text, primary_key=True),
    *_required(transaction_id=Text, state=Text, outcome=Text, score=Double, reasons=ARRAY(Text)),
    *_required(amount=BigInteger, currency=Text, timestamp=Micros),
    *_entities(),
    Column("raised_time", Micros, nullable=False),
    *_optional(delivered_time=Micros, receiver=Text, attempts=Integer),
    *_source(),
    *_optional(base_amount=BigInteger),
    *_required(case_id=Text),
    Column("rule_words", JSONB),
    *_optional(suppressed_by=Text),
    Index("alerts_by_raised_time", "raised_time", "alert_id"),
    Index("alerts_by_case", "case_id"),
    Index("alerts_by_transaction", "transaction_id"),
    *_by_entity("alerts", "raised_time", "alert_id"),
)

model_alerts = Table(
    "model_alerts",
    METADATA,
    Column("alert_id", Text, primary_key=True),
    *_required(model_id=Text, model_hash=Text, state=Text, measure=Text, value=Double),
    *_required(threshold=Double, summary=Text, features=ARRAY(Text), since=Micros, until=Micros),
    Column("raised_time", Micros, nullable=False),
    *_optional(delivered_time=Micros, receiver=Text, attempts=Integer),
    *_source(),
    Index("model_alerts_by_raised_time", "raised_time", "alert_id"),
)

alert_deliveries = Table(
    "alert_deliveries",
    METADATA,
    Column("event_id", Text, primary_key=True),
    *_required(alert_id=Text, route=Text, key=Text, state=Text, receiver=Text),
    *_required(attempts=Integer, outcome=Text, alerts=Integer, known_time=Micros),
    *_source(),
    Index("alert_deliveries_by_known_time", "known_time", "event_id"),
    Index("alert_deliveries_by_alert", "alert_id"),
    Index("alert_deliveries_by_key", "key"),
)

case_events = Table(
    "case_events",
    METADATA,
    *_keys(event_id=Text),
    *_required(case_id=Text, action=Text, by=Text, known_time=Micros),
    *_optional(state=Text, to=Text, verdict=Text, transactions=ARRAY(Text), note=Text),
    *_source(),
    *_optional(wanted=Text, request=Text, approved_by=Text),
    Index("case_events_by_case", "case_id", "source_offset"),
)

cases = Table(
    "cases",
    METADATA,
    *_keys(case_id=Text),
    *_required(payer_kind=Text, payer_id=Text, alerts=Integer, declined=Integer),
    *_required(first_alert_time=Micros, last_alert_time=Micros),
    *_required(base_amount=Numeric, expected_loss=Numeric, state=Text),
    *_optional(assignee=Text, verdict=Text, handled_time=Micros, handled_by=Text),
    Column("awaiting", Integer, nullable=False, server_default="0"),
    Index("cases_by_state", "state", "first_alert_time"),
    Index("cases_by_payer", "payer_id", "first_alert_time"),
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
    *_required(transaction_id=Text, event_timestamp=Micros, created=Micros, feature_set=Text),
    PrimaryKeyConstraint("event_timestamp", "transaction_id"),
    postgresql_partition_by="RANGE (event_timestamp)",
)

feature_vector_ids = Table(
    "feature_vector_ids", METADATA, *_keys(transaction_id=Text), *_required(event_timestamp=Micros)
)

feature_consistency = Table(
    "feature_consistency",
    METADATA,
    *_keys(feature_set=Text, feature=Text, lag=Text),
    *_required(compared=BigInteger, different=BigInteger),
)

# Not folded from events: the newest measurement, with the time of a clock; replaced, not rebuilt.
model_health = Table(
    "model_health",
    METADATA,
    *_keys(model_hash=Text, measure=Text, feature=Text),
    Column("model_id", Text, nullable=False),
    Column("value", Double),
    *_required(level=Text, measured_time=Micros),
)

replay_checks = Table(
    "replay_checks", METADATA, *_keys(turn=BigInteger),
    *_required(begun_time=Micros, looked_time=Micros),
    *_optional(ended_time=Micros),
    *_required(records=BigInteger, compared=Integer, different=Integer, causes=Text, failed=Text),
)  # fmt: skip

reason_words = Table(
    "reason_words",
    METADATA,
    Column("code", Text, primary_key=True),
    Column("words", Text, nullable=False),
)

shadow_scores = Table(
    "shadow_scores",
    METADATA,
    *_keys(model_hash=Text, transaction_id=Text),
    *_optional(score=Double, outcome=Text, unscored=Text),
    *_required(vector=Text, timestamp=Micros, known_time=Micros),
    *_source(),
    Index("shadow_scores_by_time", "model_hash", "timestamp"),
)

projection_positions = Table(
    "projection_positions",
    METADATA,
    *_keys(projection=Text, topic=Text),
    Column("partition", Integer, primary_key=True, autoincrement=False),
    *_required(next_offset=BigInteger, epoch=BigInteger),
    *_required(projected=BigInteger, void=BigInteger, dead=BigInteger, updated_at=Micros),
)

kept_months = Table("kept_months", METADATA, *_keys(name=Text), *_optional(since=Micros))

log_topics = Table("log_topics", METADATA, *_keys(topic=Text), *_required(id=Text))
