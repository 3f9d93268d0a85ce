"""Cases over HTTP: the queue, one case, and what is done about it."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.pages import AlertRow, alert_row
from commands.cases.handle import AlertedCase
from domain.cases import DONE, State
from domain.events import CaseAction, CaseApprovalRequested, Verdict
from domain.times import to_rfc3339
from projections.readmodels.queries.cases import CaseHistory, StoredCase, StoredCaseEvent, pending


class CaseRow(BaseModel):
    """The alerts of one payer in one day (UTC, by the time of the payments)."""

    case_id: str
    state: State
    priority: int = Field(description="1 to 4; 1 is the most urgent. Follows from expected loss.")
    due_at: str
    overdue: bool = Field(description="It is not done, and was due before now.")
    payer_kind: str = Field(description="customer, card or, where neither is named, transaction")
    payer_id: str
    alerts: int
    declined: int
    first_alert_at: str
    last_alert_at: str
    base_amount_minor: int = Field(description="Of all its payments, in the base currency.")
    expected_loss_minor: int = Field(description="The sum of score times amount, likewise.")
    assignee: str | None
    verdict: Verdict | None
    awaiting_approval: int = Field(description="Requests that nobody has answered.")
    handled_at: str | None
    handled_by: str | None


class CasePage(BaseModel):
    items: list[CaseRow]
    next_cursor: str | None = Field(description="Ask for the next page with it; null on the last.")


class CaseEventOut(BaseModel):
    event_id: str
    action: CaseAction | Literal["request", "overdue"]
    wanted: CaseAction | None = Field(description="Of a request: what takes two people.")
    by: str
    approved_by: str | None
    request: str | None = Field(description="The event that is approved or refused.")
    at: str
    to: str | None
    verdict: Verdict | None
    transactions: list[str] | None
    note: str | None


class CaseDetailOut(CaseRow):
    alerts_raised: list[AlertRow]
    history: list[CaseEventOut]


class CaseHandlingIn(BaseModel):
    """What somebody does about a case."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"action": "dispose", "by": "mara", "verdict": "fraud", "note": "called"}]
        }
    )

    action: CaseAction | Literal["approve"]
    by: str = Field(description="Who does it; the API knows no users and takes the name as given.")
    to: str | None = Field(None, description="Whom it is assigned or escalated to.")
    verdict: Verdict | None = Field(None, description="Of a disposal: labels its payments.")
    transactions: list[str] | None = Field(
        None, description="Those that a disposal is about; all of the case unless given."
    )
    note: str | None = None
    request: str | None = Field(None, description="Of approve and refuse: the request's event id.")
    reference: str | None = Field(
        None, description="The sender's own; under an equal one it is done once."
    )


class CaseReceiptOut(BaseModel):
    case_id: str
    event_id: str
    status: str = Field(description="recorded, duplicate, or requested: it takes two people")


def alerted_case(found: CaseHistory) -> AlertedCase:
    """What the command needs to know of it."""
    return AlertedCase(
        found.case.case_id,
        found.case.state,
        list(dict.fromkeys(each.transaction_id for each in found.alerts)),
        {each.event_id for each in found.events},
        {each.transaction_id: each.base_amount for each in found.alerts},
        {each.event_id: _requested(each) for each in pending(found.events)},
    )


def _requested(stored: StoredCaseEvent) -> CaseApprovalRequested:
    assert stored.wanted is not None
    return CaseApprovalRequested(
        case_id=stored.case_id,
        action=stored.wanted,
        by=stored.by,
        verdict=stored.verdict,
        transactions=stored.transactions,
        note=stored.note,
    )


def case_row(stored: StoredCase, now: int) -> CaseRow:
    """`now`: microseconds UTC."""
    return CaseRow(**_facts(stored, now))


def case_detail(found: CaseHistory, now: int) -> CaseDetailOut:
    return CaseDetailOut(
        **_facts(found.case, now),
        alerts_raised=[alert_row(each) for each in found.alerts],
        history=[_event(each) for each in found.events],
    )


def _facts(stored: StoredCase, now: int) -> dict[str, Any]:
    handled = stored.handled_time
    return {
        "case_id": stored.case_id,
        "state": stored.state,
        "priority": stored.priority,
        "due_at": to_rfc3339(stored.due_time),
        "overdue": stored.state not in DONE and stored.due_time < now,
        "payer_kind": stored.payer_kind,
        "payer_id": stored.payer_id,
        "alerts": stored.alerts,
        "declined": stored.declined,
        "first_alert_at": to_rfc3339(stored.first_alert_time),
        "last_alert_at": to_rfc3339(stored.last_alert_time),
        "base_amount_minor": int(stored.base_amount),
        "expected_loss_minor": round(stored.expected_loss),
        "assignee": stored.assignee,
        "verdict": stored.verdict,
        "awaiting_approval": stored.awaiting,
        "handled_at": None if handled is None else to_rfc3339(handled),
        "handled_by": stored.handled_by,
    }


def _event(stored: StoredCaseEvent) -> CaseEventOut:
    return CaseEventOut(
        event_id=stored.event_id,
        action=stored.action,
        wanted=stored.wanted,
        by=stored.by,
        approved_by=stored.approved_by,
        request=stored.request,
        at=to_rfc3339(stored.known_time),
        to=stored.to,
        verdict=stored.verdict,
        transactions=stored.transactions,
        note=stored.note,
    )
