"""Rows of facts: one function per table, values in the order of its columns.

Every function raises ValueError (or OverflowError) naming the field that PostgreSQL cannot hold.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from domain.cases import case_id_of, state_after
from domain.events import (
    AlertDelivered,
    AlertDeliveryFailed,
    AlertRaised,
    CaseHandled,
    Envelope,
    ModelAlertDelivered,
    ModelAlertRaised,
    RulesApplied,
    TransactionImported,
    TransactionLabelled,
    TransactionScored,
    TransactionSubmitted,
)
from domain.policy.rules.rule_set import sentences_of
from domain.times import to_datetime
from domain.transactions import Transaction
from eventlog.port import Position
from projections.readmodels.storage import tables

Row = tuple[Any, ...]

# Three of these fit into one entry of a B-tree, whose limit is 2704 bytes.
KEY_BYTES = 800
_INT16, _INT64 = 2**15, 2**63
_NOT_DELIVERED = (None, None, None)  # time, receiver, attempts
_NO_RULES = (None,) * 5
_to_json = msgspec.json.Encoder(order="deterministic").encode

TRANSACTION_COLUMNS = tuple(tables.transactions.columns.keys())
DECISION_COLUMNS = tuple(tables.decisions.columns.keys())
LABEL_COLUMNS = tuple(tables.labels.columns.keys())
ALERT_COLUMNS = tuple(tables.alerts.columns.keys())
CASE_EVENT_COLUMNS = tuple(tables.case_events.columns.keys())
MODEL_ALERT_COLUMNS = tuple(tables.model_alerts.columns.keys())
DELIVERY_COLUMNS = tuple(tables.alert_deliveries.columns.keys())


def transaction_row(envelope: Envelope, position: Position) -> Row:
    data: TransactionSubmitted | TransactionImported = envelope.data
    imported = data if isinstance(data, TransactionImported) else None
    x = data.transaction
    row = (
        x.transaction_id,
        to_datetime(x.timestamp),
        to_datetime(envelope.known_time),
        x.amount,
        x.currency,
        x.base_amount,
        *_entities(x),
        x.card_bin,
        x.card_last4,
        x.mcc,
        x.device_id,
        x.ip,
        x.country,
        x.lat,
        x.lon,
        x.channel,
        "imported" if imported else "submitted",
        data.digest,
        imported.origin if imported else None,
        imported.line if imported else None,
        *_source(position),
    )
    return _checked(TRANSACTION_COLUMNS, row)


def checked_id(transaction_id: str) -> str:
    """For an id that is stored without the row of its transaction."""
    if "\0" in transaction_id:
        raise ValueError("transaction_id: holds a NUL character")
    _short("transaction_id", transaction_id)
    return transaction_id


def decision_row(envelope: Envelope, position: Position) -> Row:
    data: TransactionScored = envelope.data
    x = data.transaction
    row = (
        x.transaction_id,
        data.outcome,
        data.score,
        _texts(data.reasons),
        data.path,
        _texts(data.flags),
        to_datetime(x.timestamp),
        to_datetime(envelope.known_time),
        x.amount,
        x.currency,
        x.base_amount,
        *_entities(x),
        data.model_id,
        data.model_hash,
        data.policy_version,
        data.thresholds.review,
        data.thresholds.step_up,
        data.thresholds.decline,
        data.feature_set,
        data.features,
        _json(data.versions),
        _json(data.timings_us),
        data.fingerprint,
        *_source(position),
        *_rules(data.rules),
    )
    return _checked(DECISION_COLUMNS, row)


def label_row(envelope: Envelope, position: Position) -> Row:
    data: TransactionLabelled = envelope.data
    if data.value not in (0, 1):
        raise ValueError(f"value: {data.value} is neither 0 nor 1")
    row = (
        data.transaction_id,
        envelope.id,
        data.value,
        data.kind,
        data.reporter,
        data.reference,
        to_datetime(envelope.known_time),
        *_source(position),
    )
    return _checked(LABEL_COLUMNS, row)


def alert_row(envelope: Envelope, position: Position) -> Row:
    data: AlertRaised = envelope.data
    row = (
        data.alert_id,
        data.transaction_id,
        "raised",
        data.outcome,
        data.score,
        _texts(data.reasons),
        data.amount,
        data.currency,
        to_datetime(data.transaction_time),
        *_entities(data),
        to_datetime(envelope.known_time),
        *_NOT_DELIVERED,
        *_source(position),
        data.base_amount,
        case_id_of(data),
        _words(data.told),
    )
    return _checked(ALERT_COLUMNS, row)


def case_event_row(envelope: Envelope, position: Position) -> Row:
    data: CaseHandled = envelope.data
    row = (
        envelope.id,
        data.case_id,
        data.action,
        data.by,
        to_datetime(envelope.known_time),
        state_after(data),
        data.to,
        data.verdict,
        None if data.transactions is None else _texts(data.transactions),
        data.note,
        *_source(position),
    )
    return _checked(CASE_EVENT_COLUMNS, row)


def model_alert_row(envelope: Envelope, position: Position) -> Row:
    data: ModelAlertRaised = envelope.data
    row = (
        data.alert_id,
        data.model_id,
        data.model_hash,
        "raised",
        data.measure,
        data.value,
        data.limit,
        data.summary,
        _texts(data.features),
        to_datetime(data.since),
        to_datetime(data.until),
        to_datetime(envelope.known_time),
        *_NOT_DELIVERED,
        *_source(position),
    )
    return _checked(MODEL_ALERT_COLUMNS, row)


def delivery_row(envelope: Envelope, position: Position) -> Row:
    """Of an attempt that failed, and of a delivery."""
    data: AlertDelivered | ModelAlertDelivered | AlertDeliveryFailed = envelope.data
    failed = data if isinstance(data, AlertDeliveryFailed) else None
    state = "delivered" if failed is None else "given_up" if failed.given_up else "failed"
    numbers = (data.attempts, failed.alerts if failed else 1)
    if not all(0 <= number < 2**31 for number in numbers):
        raise ValueError("attempts or alerts: beyond 31 bits")
    row = (
        envelope.id,
        data.alert_id,
        data.route,
        data.key or data.alert_id,
        state,
        data.receiver,
        data.attempts,
        failed.outcome if failed else "",
        failed.alerts if failed else 1,
        to_datetime(envelope.known_time),
        *_source(position),
    )
    return _checked(DELIVERY_COLUMNS, row)


def _entities(facts: Transaction | AlertRaised) -> Row:
    return facts.card_id, facts.customer_id, facts.merchant_id


def _rules(applied: RulesApplied | None) -> Row:
    if applied is None:
        return _NO_RULES
    return (
        applied.version,
        _numbers(applied.fired),
        _numbers(applied.shadow),
        applied.not_evaluable,
        _words(sentences_of(applied)),
    )


def _words(said: dict[str, str]) -> str | None:
    return _json(said) if said else None


def _numbers(given: list[int]) -> str:
    if given and not 0 <= min(given) <= max(given) < _INT16:
        raise ValueError(f"rules: {given} are no numbers of rules")
    return f"{{{','.join(map(str, given))}}}"


def _source(position: Position) -> Row:
    return position.topic, position.partition, position.offset


def _checked(columns: Sequence[str], row: Row) -> Row:
    text = "".join([value for value in row if type(value) is str])
    numbers = [value for value in row if type(value) is int]
    # A row with little text holds no key that is too long: nearly all pass here.
    harmless = KEY_BYTES if text.isascii() else KEY_BYTES // 4
    fits = len(text) <= harmless and min(numbers) >= -_INT64 and max(numbers) < _INT64
    if not fits or "\0" in text:
        _look_closely(columns, row)
    return row


def _look_closely(columns: Sequence[str], row: Row) -> None:
    for index, value in enumerate(row):
        kind = type(value)
        if kind is str:
            if "\0" in value:
                raise ValueError(f"{columns[index]}: holds a NUL character")
            if len(value) > KEY_BYTES // 4 and columns[index].endswith("_id"):
                _short(columns[index], value)
        elif kind is int and not -_INT64 <= value < _INT64:
            raise ValueError(f"{columns[index]}: {value} is beyond 64 bits")


def _short(column: str, value: str) -> None:
    # The event id of a label is in the key of its own table alone.
    most = 2 * KEY_BYTES if column == "event_id" else KEY_BYTES
    if len(value.encode()) > most:
        raise ValueError(f"{column}: longer than {most} bytes")


def _texts(values: list[str]) -> list[str]:
    if any("\0" in value for value in values):
        raise ValueError("reasons, flags or ids: hold a NUL character")
    return values


def _json(value: dict[str, Any]) -> str:
    text = _to_json(value).decode()
    if "\\u0000" in text:
        raise ValueError("versions, timings_us or words: hold a NUL character")
    return text
