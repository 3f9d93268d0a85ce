"""Alerts about decisions: which decisions raise one, and what it says."""

from domain.events import AlertRaised, Envelope, TransactionScored, caused_event_id
from domain.policy.exploration import judged
from domain.policy.rules.rule_set import sentences_of
from domain.policy.suppressions import ALERTING


def alert_of(scored: Envelope, source: str, now: int) -> Envelope | None:
    """The alert of a decision that counts, or None. Equal decisions give equal alert ids."""
    decision: TransactionScored = scored.data
    if judged(decision.outcome, decision.exploration) not in ALERTING:
        return None
    transaction = decision.transaction
    alert_id = caused_event_id(scored.id, AlertRaised)
    data = AlertRaised(
        alert_id=alert_id,
        transaction_id=transaction.transaction_id,
        outcome=decision.outcome,
        score=decision.score,
        reasons=decision.reasons,
        amount=transaction.amount,
        currency=transaction.currency,
        transaction_time=transaction.timestamp,
        card_id=transaction.card_id,
        customer_id=transaction.customer_id,
        merchant_id=transaction.merchant_id,
        told=sentences_of(decision.rules),
        base_amount=transaction.base_amount,
        suppressed_by=decision.suppressed_by,
    )
    return Envelope(
        id=alert_id,
        source=source,
        subject=transaction.transaction_id,
        time=scored.known_time,
        # The alert of a rehearsal is as old as its history, too old to be delivered.
        known_time=scored.known_time if scored.imported else now,
        data=data,
        correlation_id=scored.correlation_id,
        causation_id=scored.id,
    )
