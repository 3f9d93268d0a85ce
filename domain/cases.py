"""Cases: the alerts of one payer within one day, how urgent they are, and what may be done."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Literal

from domain.events.alerts import AlertRaised
from domain.events.cases import CaseAction, CaseHandled, Verdict
from domain.features.entities import PAYER_FIELDS
from domain.times import DAY, HOUR

WINDOW_US = DAY
"""Of event time, in UTC. It never changes: cases of the log would fall apart differently."""

State = Literal["open", "assigned", "escalated", "disposed", "closed", "reopened"]

# The least expected loss of a case in minor units of the base currency, and the time (us) within
# which somebody is to have dealt with it.
PRIORITIES: Mapping[int, tuple[float, int]] = {
    1: (100_000, HOUR),
    2: (10_000, 4 * HOUR),
    3: (1_000, DAY),
    4: (0, 3 * DAY),
}

_STATE_AFTER: Mapping[CaseAction, State | None] = {
    "assign": "assigned",
    "note": None,
    "escalate": "escalated",
    "dispose": "disposed",
    "close": "closed",
    "reopen": "reopened",
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


def priority_of(expected_loss: float) -> int:
    """1 is the most urgent. `expected_loss` in minor units of the base currency."""
    return next(number for number, (least, _) in PRIORITIES.items() if expected_loss >= least)


def state_after(handled: CaseHandled) -> State | None:
    """None where the action leaves the state as it is."""
    return _STATE_AFTER[handled.action]


def refusal(action: CaseAction, state: State) -> str | None:
    """Why the action does not go with the state; None where it does."""
    if action == "reopen":
        return None if state in DONE else f"is {state}: only a case that is done can be reopened"
    if action != "note" and state in DONE:
        return f"is {state}: reopen it first"
    return None
