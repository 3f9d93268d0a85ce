"""Rows of lists over HTTP: decisions and alerts as the read models hold them."""

from pydantic import BaseModel, Field

from api.schemas.decisions import ReasonOut, reasons_out
from domain.money import shown_amount
from domain.step_ups import final_outcome
from domain.times import to_rfc3339
from projections.readmodels.queries.results import StoredAlert, StoredDecision


class PaidOut(BaseModel):
    amount: str = Field(description="Major units of `currency`, as decimal text: 12.50.")
    amount_minor: int = Field(description="The same in minor units: 1250.")
    currency: str


class DecisionRow(PaidOut):
    transaction_id: str
    score: float
    outcome: str
    step_up_result: str | None
    final_outcome: str
    reasons: list[ReasonOut]
    path: str
    timestamp: str
    decided_at: str
    card_id: str | None
    customer_id: str | None
    merchant_id: str | None
    model_id: str
    policy_version: int


class DecisionPage(BaseModel):
    items: list[DecisionRow]
    next_cursor: str | None = Field(description="Ask for the next page with it; null on the last.")


class AlertRow(PaidOut):
    alert_id: str
    case_id: str
    transaction_id: str
    state: str = Field(description="raised or delivered; suppressed ones are told to nobody")
    suppressed_by: str | None = Field(description="The suppression that silences it.")
    outcome: str
    score: float
    reasons: list[ReasonOut]
    raised_at: str
    delivered_at: str | None
    card_id: str | None
    customer_id: str | None
    merchant_id: str | None


class AlertPage(BaseModel):
    items: list[AlertRow]
    next_cursor: str | None = Field(description="Ask for the next page with it; null on the last.")


def decision_row(stored: StoredDecision) -> DecisionRow:
    return DecisionRow(
        transaction_id=stored.transaction_id,
        score=stored.score,
        outcome=stored.outcome,
        step_up_result=stored.step_up_result,
        final_outcome=final_outcome(stored.outcome, stored.step_up_result),
        reasons=reasons_out(stored.reasons, stored.rule_words),
        path=stored.path,
        **shown_amount(stored.amount, stored.currency),
        currency=stored.currency,
        timestamp=to_rfc3339(stored.timestamp),
        decided_at=to_rfc3339(stored.known_time),
        card_id=stored.card_id,
        customer_id=stored.customer_id,
        merchant_id=stored.merchant_id,
        model_id=stored.model_id,
        policy_version=stored.policy_version,
    )


def alert_row(stored: StoredAlert) -> AlertRow:
    delivered = stored.delivered_time
    return AlertRow(
        alert_id=stored.alert_id,
        case_id=stored.case_id,
        transaction_id=stored.transaction_id,
        state=stored.state,
        suppressed_by=stored.suppressed_by,
        outcome=stored.outcome,
        score=stored.score,
        reasons=reasons_out(stored.reasons, stored.rule_words),
        **shown_amount(stored.amount, stored.currency),
        currency=stored.currency,
        raised_at=to_rfc3339(stored.raised_time),
        delivered_at=None if delivered is None else to_rfc3339(delivered),
        card_id=stored.card_id,
        customer_id=stored.customer_id,
        merchant_id=stored.merchant_id,
    )
