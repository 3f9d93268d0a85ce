"""Filters and results of the queries. Times are microseconds UTC."""

from dataclasses import dataclass
from datetime import date
from typing import Generic, TypeVar

from domain.events import StepUpResult

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class FeatureSkew:
    """Of one feature: values served beside ideal ones, and how many differed in any bit.

    `lag` tells how old the newest event was that the reader had missed, "none" for nothing missed.
    """

    feature_set: str
    feature: str
    lag: str
    compared: int
    different: int


@dataclass(frozen=True, slots=True)
class ReplayCheck:
    """The newest turn of the scheduled replay that was proven; since then nothing came to the log
    up to `proven_time`."""

    turn: int
    compared: int
    different: int
    proven_time: int


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """`cursor` asks for the next page; None where this was the last one."""

    items: list[T]
    cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionFilter:
    """All given ones must hold. `since` (included) and `until` (excluded) bound known time."""

    outcome: str | None = None
    since: int | None = None
    until: int | None = None
    min_score: float | None = None
    customer_id: str | None = None
    merchant_id: str | None = None
    card_id: str | None = None
    model_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertFilter:
    """All given ones must hold. `since` and `until` bound the time of raising."""

    state: str | None = None
    since: int | None = None
    until: int | None = None
    transaction_id: str | None = None
    customer_id: str | None = None
    merchant_id: str | None = None
    card_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _FromLog:
    """Where in the log the row comes from."""

    source_topic: str
    source_partition: int
    source_offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTransaction(_FromLog):
    """One row of `transactions`. `origin` is `submitted` or `imported`."""

    transaction_id: str
    timestamp: int
    known_time: int
    amount: int
    currency: str
    base_amount: int
    card_id: str | None
    customer_id: str | None
    merchant_id: str | None
    card_bin: str | None
    card_last4: str | None
    mcc: str | None
    device_id: str | None
    ip: str | None
    country: str | None
    lat: float | None
    lon: float | None
    channel: str | None
    origin: str
    digest: str
    import_origin: str | None
    import_line: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDecision(_FromLog):
    """One row of `decisions`. `known_time` is when it was decided.

    Of published rules the numbers, and their sentences by reason code; None where there were none.
    `step_up_result` is of `step_ups`, in lists alone.
    """

    transaction_id: str
    outcome: str
    score: float
    reasons: list[str]
    path: str
    flags: list[str]
    timestamp: int
    known_time: int
    amount: int
    currency: str
    base_amount: int
    card_id: str | None
    customer_id: str | None
    merchant_id: str | None
    model_id: str
    model_hash: str
    policy_version: int
    threshold_review: float
    threshold_step_up: float
    threshold_decline: float
    feature_set: str
    features: list[float | None]
    versions: dict[str, str]
    timings_us: dict[str, int]
    fingerprint: str
    rules_version: int | None = None
    rules_fired: list[int] | None = None
    rules_shadow: list[int] | None = None
    rules_not_evaluable: str | None = None
    rule_words: dict[str, str] | None = None
    step_up_result: StepUpResult | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredLabel(_FromLog):
    """One row of `labels`, or the current one of its transaction."""

    transaction_id: str
    event_id: str
    value: int
    kind: str
    reporter: str
    reference: str
    known_time: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAlert(_FromLog):
    """One row of `alerts`. `state` is `raised` or `delivered`."""

    alert_id: str
    transaction_id: str
    state: str
    outcome: str
    score: float
    reasons: list[str]
    amount: int
    currency: str
    timestamp: int
    card_id: str | None
    customer_id: str | None
    merchant_id: str | None
    raised_time: int
    delivered_time: int | None
    receiver: str | None
    attempts: int | None
    base_amount: int | None
    case_id: str
    rule_words: dict[str, str] | None = None
    suppressed_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredModelAlert(_FromLog):
    """One row of `model_alerts`. `state` is `raised` or `delivered`."""

    alert_id: str
    model_id: str
    model_hash: str
    state: str
    measure: str
    value: float
    threshold: float
    summary: str
    features: list[str]
    since: int
    until: int
    raised_time: int
    delivered_time: int | None
    receiver: str | None
    attempts: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDelivery(_FromLog):
    """One row of `alert_deliveries`. `state` is `failed`, `given_up` or `delivered`; `key` is that
    of the message, and `alerts` how many it is about."""

    event_id: str
    alert_id: str
    route: str
    key: str
    state: str
    receiver: str
    attempts: int
    outcome: str
    alerts: int
    known_time: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFilter:
    alert_id: str | None = None
    route: str | None = None
    key: str | None = None
    state: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredHealth:
    """One row of `model_health`. `feature` is "" where the measure is of the model as a whole."""

    model_hash: str
    measure: str
    feature: str
    model_id: str
    value: float | None
    level: str
    measured_time: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyFigures:
    """One day (UTC, by event time) of one merchant or customer; amounts in base minor units."""

    day: date
    transactions: int
    base_amount: int
    approved: int
    reviewed: int
    stepped_up: int
    declined: int
    fraud: int
    fraud_base_amount: int
    genuine: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounting:
    """Events of one topic in one projection: produced = projected + void + dead + in_flight.

    `unaccounted` is what that leaves over: 0 unless a projection skipped records.
    """

    projection: str
    topic: str
    produced: int
    projected: int
    void: int
    dead: int
    in_flight: int

    @property
    def unaccounted(self) -> int:
        return self.produced - self.projected - self.void - self.dead - self.in_flight
