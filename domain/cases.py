"""Cases: the alerts of one payer within one day, how urgent they are, and what may be done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal
from unicodedata import normalize

from domain.events.alerts import AlertRaised
from domain.events.cases import CaseAction, CaseHandled, CaseOverdue, Verdict
from domain.events.rules import RuleSeverity
from domain.features.entities import PAYER_FIELDS
from domain.times import DAY, HOUR

WINDOW_US = DAY
"""Of event time, in UTC. It never changes: cases of the log would fall apart differently."""

State = Literal["open", "acknowledged", "assigned", "escalated", "disposed", "closed", "reopened"]

# The least expected loss of a case in minor units of the base currency, and the time (us) within
# which somebody is to have dealt with it.
PRIORITIES: Mapping[int, tuple[float, int]] = {
    1: (100_000, HOUR),
    2: (10_000, 4 * HOUR),
    3: (1_000, DAY),
    4: (0, 3 * DAY),
}

SEVERITY_OF: Mapping[int, RuleSeverity] = {1: "critical", 2: "high", 3: "medium", 4: "low"}
"""Of an overdue case, by its priority."""

_STATE_AFTER: Mapping[CaseAction, State | None] = {
    "acknowledge": "acknowledged",
    "assign": "assigned",
    "note": None,
    "escalate": "escalated",
    "dispose": "disposed",
    "close": "closed",
    "reopen": "reopened",
    "refuse": None,
}
DONE: tuple[State, ...] = ("disposed", "closed")
LABEL_VALUES: Mapping[Verdict, int | None] = {"fraud": 1, "genuine": 0, "undetermined": None}


def payer_of_alert(alert: AlertRaised) -> tuple[str, str]:
    """Kind and id of who paid; the transaction itself where nobody is named."""
    for kind in PAYER_FIELDS:
        if (value := getattr(alert, kind)) is not None:
            return kind.removesuffix("_id"), value
    return "transaction", alert.transaction_id


def case_id_of(alert: AlertRaised) -> str:
    """Equal for the alerts of one payer in one day; needs no state, so that whoever sees the alert
    knows its case."""
    kind, value = payer_of_alert(alert)
    window = alert.transaction_time // WINDOW_US
    return "case-" + sha256(f"{kind}:{value}:{window}".encode()).hexdigest()[:20]


def overdue_id(case_id: str, due_time: int) -> str:
    """Equal for each that says so of the case and that time."""
    return f"{CaseOverdue.NAME}/{case_id}/{due_time}"


def priority_of(expected_loss: float) -> int:
    """1 is the most urgent. `expected_loss` in minor units of the base currency."""
    return next(number for number, (least, _) in PRIORITIES.items() if expected_loss >= least)


def state_after(handled: CaseHandled) -> State | None:
    """None where the action leaves the state as it is, as one does that a person approved alone."""
    alone = handled.approved_by is not None and same_person(handled.by, handled.approved_by)
    return None if alone else _STATE_AFTER[handled.action]


def same_person(one: str, other: str) -> bool:
    """By their names as they were given: however these are written, Mara is mara."""
    return _name(one) == _name(other)


def _name(given: str) -> str:
    return " ".join(normalize("NFKC", given).casefold().split())


@dataclass(frozen=True, slots=True)
class FourEyes:
    """What takes two people: one asks for it, another approves.

    To `close` without a verdict; to call genuine payments of `genuine_from` or more together
    (minor units of the base currency); to label `labels_from` payments or more at once. None for
    never.
    """

    close: bool = False
    genuine_from: int | None = None
    labels_from: int | None = None

    def wanted(
        self, action: CaseAction, verdict: Verdict | None, amounts: Sequence[int | None]
    ) -> bool:
        """`amounts` are those of the payments that it is about; one that is unknown is great."""
        if action == "close":
            return self.close
        if action != "dispose" or verdict is None or LABEL_VALUES[verdict] is None:
            return False
        if self.labels_from is not None and len(amounts) >= self.labels_from:
            return True
        if verdict != "genuine" or self.genuine_from is None:
            return False
        known = [each for each in amounts if each is not None]
        return len(known) < len(amounts) or sum(known) >= self.genuine_from


def refusal(action: CaseAction, state: State) -> str | None:
    """Why the action does not go with the state; None where it does."""
    if action == "reopen":
        return None if state in DONE else f"is {state}: only a case that is done can be reopened"
    if action not in ("note", "refuse") and state in DONE:
        return f"is {state}: reopen it first"
    return None
