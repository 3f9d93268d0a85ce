"""Rows of facts: one function per table, values in the order of its columns.

Every function raises ValueError (or OverflowError) naming the field that PostgreSQL cannot hold.
"""

from domain.cases import case_id_of, state_after
from domain.events import (
    AlertDelivered,
    AlertDeliveryFailed,
    AlertRaised,
    CaseApprovalRequested,
    CaseHandled,
    CaseOverdue,
    Envelope,
    ModelAlertDelivered,
    ModelAlertRaised,
    RulesApplied,
    StepUpConcluded,
    TransactionImported,
    TransactionLabelled,
    TransactionScored,
    TransactionSubmitted,
)
from domain.policy.rules.rule_set import sentences_of
from domain.step_ups import DECIDES
from domain.times import to_datetime
from domain.transactions import Transaction
from eventlog.port import Position
from projections.readmodels.fold.checked import Row, checked, json_text, short, source_of, texts
from projections.readmodels.storage import tables

_INT16 = 2**15
_NOT_DELIVERED = (None, None, None)  # time, receiver, attempts
_NO_RULES = (None,) * 5

TRANSACTION_COLUMNS = tuple(tables.transactions.columns.keys())
DECISION_COLUMNS = tuple(tables.decisions.columns.keys())
STEP_UP_COLUMNS = tuple(tables.step_ups.columns.keys())
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
        *source_of(position),
    )
    return checked(TRANSACTION_COLUMNS, row)


def checked_id(transaction_id: str) -> str:
    """For an id that is stored without the row of its transaction."""
    if "\0" in transaction_id:
        raise ValueError("transaction_id: holds a NUL character")
    short("transaction_id", transaction_id)
    return transaction_id


def decision_row(envelope: Envelope, position: Position) -> Row:
    data: TransactionScored = envelope.data
    x = data.transaction
    row = (
        x.transaction_id,
        data.outcome,
        data.score,
        texts(data.reasons),
        data.path,
        texts(data.flags),
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
        json_text(data.versions),
        json_text(data.timings_us),
        data.fingerprint,
        *source_of(position),
        *_rules(data.rules),
    )
    return checked(DECISION_COLUMNS, row)


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
        *source_of(position),
    )
    return checked(LABEL_COLUMNS, row)


def step_up_row(envelope: Envelope, position: Position) -> Row:
    data: StepUpConcluded = envelope.data
    row = (
        data.transaction_id,
        data.result,
        DECIDES[data.result],
        data.reporter,
        data.reference,
        to_datetime(envelope.time),
        to_datetime(envelope.known_time),
        *source_of(position),
    )
    return checked(STEP_UP_COLUMNS, row)


def alert_row(envelope: Envelope, position: Position) -> Row:
    data: AlertRaised = envelope.data
    row = (
        data.alert_id,
        data.transaction_id,
        "raised" if data.suppressed_by is None else "suppressed",
        data.outcome,
        data.score,
        texts(data.reasons),
        data.amount,
        data.currency,
        to_datetime(data.transaction_time),
        *_entities(data),
        to_datetime(envelope.known_time),
        *_NOT_DELIVERED,
        *source_of(position),
        data.base_amount,
        case_id_of(data),
        _words(data.told),
        data.suppressed_by,
    )
    return checked(ALERT_COLUMNS, row)


def case_event_row(envelope: Envelope, position: Position) -> Row:
    """Of what was done, of a request for it, and of a case that is overdue."""
    data: CaseHandled | CaseApprovalRequested | CaseOverdue = envelope.data
    done = data if isinstance(data, CaseHandled) else None
    asked = data if isinstance(data, CaseApprovalRequested) else None
    told = done or asked
    row = (
        envelope.id,
        data.case_id,
        done.action if done else "request" if asked else "overdue",
        told.by if told else "retrace",
        to_datetime(envelope.known_time),
        state_after(done) if done else None,
        done.to if done else None,
        told.verdict if told else None,
        texts(told.transactions) if told and told.transactions is not None else None,
        told.note if told else None,
        *source_of(position),
        asked.action if asked else None,
        done.request if done else None,
        done.approved_by if done else None,
    )
    return checked(CASE_EVENT_COLUMNS, row)


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
        texts(data.features),
        to_datetime(data.since),
        to_datetime(data.until),
        to_datetime(envelope.known_time),
        *_NOT_DELIVERED,
        *source_of(position),
    )
    return checked(MODEL_ALERT_COLUMNS, row)


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
        *source_of(position),
    )
    return checked(DELIVERY_COLUMNS, row)


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
    return json_text(said) if said else None


def _numbers(given: list[int]) -> str:
    if given and not 0 <= min(given) <= max(given) < _INT16:
        raise ValueError(f"rules: {given} are no numbers of rules")
    return f"{{{','.join(map(str, given))}}}"
