"""Command HandleCase: labels what a disposal says, and appends what was done about a case."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from commands.context import Context
from commands.intake.payload import check_fields
from commands.labels.label import LabelTransaction
from domain.cases import LABEL_VALUES, State, refusal
from domain.cleaning.fields import LONGEST_ID, printable
from domain.errors import ConflictError, InvalidInputError
from domain.events import CaseAction, CaseHandled, Envelope, Verdict, label_event_id
from eventlog.topics import ALERTS

_FIELDS = "action", "by", "to", "verdict", "transactions", "note", "reference"
_LONGEST_NOTE = 4_000
Label = Callable[[LabelTransaction], Awaitable[object]]
_GIVES = ("assign", "escalate")


@dataclass(frozen=True, slots=True, kw_only=True)
class HandleCase:
    """`reference` is the sender's own: said again under an equal one, it is done once.
    `transactions` are those that a disposal is about; all of the case unless given."""

    action: CaseAction
    by: str
    reference: str
    to: str | None = None
    verdict: Verdict | None = None
    transactions: Sequence[str] | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class AlertedCase:
    """What the command needs to know of a case; `events` are ids of what was done."""

    case_id: str
    state: State
    transactions: Sequence[str]
    events: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class CaseReceipt:
    """A `duplicate` was recorded before, and nothing is done anew."""

    event_id: str
    duplicate: bool


def parse_handling(payload: Mapping[str, Any], reference: str) -> HandleCase:
    """Raises InvalidInputError, for a field of another name too."""
    check_fields(payload, _FIELDS)
    action = _one_of(payload, "action", CaseAction)
    verdict = _one_of(payload, "verdict", Verdict) if action == "dispose" else None
    to = _text(payload, "to") if action in _GIVES else None
    note = _text(payload, "note", _LONGEST_NOTE) if payload.get("note") is not None else None
    if action == "note" and note is None:
        raise InvalidInputError("note", "must be given")
    for field, needed in (("to", to), ("verdict", verdict)):
        if needed is None and payload.get(field) is not None:
            raise InvalidInputError(field, f"does not go with the action {action!r}")
    return HandleCase(
        action=action,
        by=_text(payload, "by"),
        reference=_text(payload, "reference") if "reference" in payload else reference,
        to=to,
        verdict=verdict,
        transactions=_transactions(payload, action),
        note=note,
    )


async def handle_case(
    command: HandleCase, case: AlertedCase, context: Context, label: Label
) -> CaseReceipt:
    """Durable when it returns. `label` records one, or raises.

    Labels come before the event: whoever is interrupted says it again, and each counts once.
    Raises ConflictError where the action does not go with the state, InvalidInputError for a
    transaction that is not of the case, NotFoundError for one that is unknown.
    """
    cleaner = context.cleaner
    event_id = cleaner.text(
        label_event_id(CaseHandled, case.case_id, command.by, command.reference), case.case_id
    )
    if event_id in case.events:
        return CaseReceipt(event_id, duplicate=True)
    if said := refusal(command.action, case.state):
        raise ConflictError(case.case_id, f"case {case.case_id} {said}")
    about = _about(command, case)
    value = None if command.verdict is None else LABEL_VALUES[command.verdict]
    if value is not None:
        for transaction_id in about:
            said_of = LabelTransaction(
                transaction_id=transaction_id,
                kind="disposition",
                value=value,
                reporter=cleaner.text(command.by, transaction_id),
            )
            await label(said_of)
    data = CaseHandled(
        case_id=case.case_id,
        action=command.action,
        by=cleaner.text(command.by, case.case_id),
        to=command.to and cleaner.text(command.to, case.case_id),
        verdict=command.verdict,
        transactions=list(about) if command.verdict is not None else None,
        note=command.note and cleaner.text(command.note, case.case_id),
    )
    now = context.clock()
    envelope = Envelope(
        id=event_id,
        source=context.source,
        subject=case.case_id,
        time=now,
        known_time=now,
        data=data,
        correlation_id=case.case_id,
    )
    await context.log.append(ALERTS, case.case_id, envelope)
    return CaseReceipt(event_id, duplicate=False)


def _about(command: HandleCase, case: AlertedCase) -> Sequence[str]:
    if command.transactions is None:
        return case.transactions
    for number, each in enumerate(command.transactions):
        if each not in case.transactions:
            raise InvalidInputError(f"transactions[{number}]", f"{each!a} is not of this case")
    return command.transactions


def _transactions(payload: Mapping[str, Any], action: CaseAction) -> list[str] | None:
    given = payload.get("transactions")
    if given is None:
        return None
    if action != "dispose":
        raise InvalidInputError("transactions", f"does not go with the action {action!r}")
    if not isinstance(given, list) or not given or not all(isinstance(x, str) for x in given):
        raise InvalidInputError("transactions", "must be a list of transaction ids")
    return list(dict.fromkeys(given))


def _one_of(payload: Mapping[str, Any], field: str, allowed: Any) -> Any:
    value = payload.get(field)
    if value not in get_args(allowed):
        raise InvalidInputError(field, f"must be one of {', '.join(get_args(allowed))}")
    return value


def _text(payload: Mapping[str, Any], field: str, longest: int = LONGEST_ID) -> str:
    value = payload.get(field)
    text = value.strip() if isinstance(value, str) else ""
    if longest == LONGEST_ID:
        text = printable(text) or ""
    if not text or len(text) > longest or "\0" in text:
        raise InvalidInputError(field, f"must be a text of 1 to {longest} characters")
    return text
