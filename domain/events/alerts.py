"""Events of the ALERTS topic about decisions: an alert is raised, and delivered."""

from dataclasses import dataclass, field

from domain.events.registry import Event, event
from domain.events.transactions import Outcome


@event("fraud.alert.raised")
@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRaised(Event):
    """A decision of review or decline needs somebody's attention. `amount` in minor units, and
    `base_amount` in those of the base currency: None in events of before it was recorded.

    `told` are sentences by reason code: of published rules, which have words of their own.
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


@event("fraud.alert.delivered")
@dataclass(frozen=True, slots=True, kw_only=True)
class AlertDelivered(Event):
    """A receiver has confirmed the alert. `receiver` names it without its secrets."""

    alert_id: str
    transaction_id: str
    receiver: str
    attempts: int
