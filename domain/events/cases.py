"""Events of the ALERTS topic about cases: what people did about the alerts of one payer."""

from dataclasses import dataclass
from typing import Literal

from domain.events.registry import Event, event

CaseAction = Literal["assign", "note", "escalate", "dispose", "close", "reopen"]
Verdict = Literal["fraud", "genuine", "undetermined"]


@event("fraud.case.handled")
@dataclass(frozen=True, slots=True, kw_only=True)
class CaseHandled(Event):
    """`by` took an action on a case. Assigned and escalated are `to` somebody; a disposal has a
    `verdict`, and names the `transactions` that were labelled by it."""

    case_id: str
    action: CaseAction
    by: str
    to: str | None = None
    verdict: Verdict | None = None
    transactions: list[str] | None = None
    note: str | None = None
