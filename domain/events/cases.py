"""Events of the ALERTS topic about cases: what people did about the alerts of one payer."""

from dataclasses import dataclass
from typing import Literal

from domain.events.registry import Event, event

CaseAction = Literal[
    "acknowledge", "assign", "note", "escalate", "dispose", "close", "reopen", "refuse"
]
Verdict = Literal["fraud", "genuine", "undetermined"]


@event("fraud.case.handled")
@dataclass(frozen=True, slots=True, kw_only=True)
class CaseHandled(Event):
    """`by` took an action on a case. Assigned and escalated are `to` somebody; a disposal has a
    `verdict`, and names the `transactions` that were labelled by it.

    What takes two people was asked for by `by` in the event `request`, and `approved_by` is the
    other; one that was refused has the `request` and who refused it.
    """

    case_id: str
    action: CaseAction
    by: str
    to: str | None = None
    verdict: Verdict | None = None
    transactions: list[str] | None = None
    note: str | None = None
    request: str | None = None
    approved_by: str | None = None


@event("fraud.case.approval-requested")
@dataclass(frozen=True, slots=True, kw_only=True)
class CaseApprovalRequested(Event):
    """`by` wants an action that takes two people: nothing is done before another approves it."""

    case_id: str
    action: CaseAction
    by: str
    verdict: Verdict | None = None
    transactions: list[str] | None = None
    note: str | None = None


@event("fraud.case.overdue")
@dataclass(frozen=True, slots=True, kw_only=True)
class CaseOverdue(Event):
    """Nobody has dealt with the case by `due_time` (microseconds UTC). Routes that ask for it take
    it as an alert, `alert_id`. Money is in minor units of the base currency."""

    alert_id: str
    case_id: str
    due_time: int
    priority: int
    alerts: int
    base_amount: int
    expected_loss: int
    assignee: str | None = None
