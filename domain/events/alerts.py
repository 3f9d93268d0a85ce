"""Events of the ALERTS topic: an alert about a decision, and the delivery of any alert."""

from dataclasses import dataclass, field

from domain.events.registry import Event, event
from domain.events.transactions import Outcome


@event("fraud.alert.raised")
@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRaised(Event):
    """A decision of review or decline needs somebody's attention. `amount` in minor units, and
    `base_amount` in those of the base currency: None in events of before it was recorded.

    `outcome` is approve where the exploration of the policy let pass what it would have declined.

    `told` are sentences by reason code: of published rules, which have words of their own.
    `suppressed_by` names the suppression that lets nobody be told, None where there is none.
    """

    alert_id: str
    transaction_id: str
    outcome: Outcome
    score: float
    reasons: list[str]
    amount: int
    currency: str
    transaction_time: int
    card_id: str | None = None
    customer_id: str | None = None
    merchant_id: str | None = None
    told: dict[str, str] = field(default_factory=dict)
    base_amount: int | None = None
    suppressed_by: str | None = None


@event("fraud.alert.delivered")
@dataclass(frozen=True, slots=True, kw_only=True)
class AlertDelivered(Event):
    """A receiver has confirmed the alert. `receiver` names it without its secrets. Of an overdue
    case there is no `transaction_id`: it is empty.

    `key` is the deduplication key of the message, where it is not the alert's id: that of a digest,
    or of a message that was asked for again.
    """

    alert_id: str
    transaction_id: str
    receiver: str
    attempts: int
    route: str = "webhook"
    key: str = ""


@event("fraud.alert.delivery-failed")
@dataclass(frozen=True, slots=True, kw_only=True)
class AlertDeliveryFailed(Event):
    """A receiver has not confirmed a message about one alert or, with `alerts` over 1, a digest.

    `key` is the message's deduplication key. `failures` are those of the route in a row. It is
    tried again at `retry_at` (microseconds UTC), unless it is `given_up`.
    """

    alert_id: str
    route: str
    key: str
    receiver: str
    attempts: int
    outcome: str
    failures: int
    retry_at: int
    alerts: int = 1
    given_up: bool = False


@event("fraud.alert.gathered")
@dataclass(frozen=True, slots=True, kw_only=True)
class AlertsGathered(Event):
    """Alerts of this partition are to be delivered in one message, the digest `key`.

    `offsets` are theirs, as text such as `5-2000,2003`; `alerts` counts those of all `partitions`.
    Who has all of these delivers the digest; where they part, its alerts begin anew.
    """

    route: str
    key: str
    offsets: str
    partitions: list[int]
    alerts: int


@event("fraud.alert.resend-asked")
@dataclass(frozen=True, slots=True, kw_only=True)
class AlertResendAsked(Event):
    """Somebody wants the alert delivered once more, by one route or (empty) by all that take it.

    The alert was raised at `offset` of this partition.
    """

    alert_id: str
    offset: int
    route: str = ""
