"""Command HandleCase: labels what a disposal says, and appends what was done about a case."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from commands.context import Context
from commands.labels.label import LabelTransaction
from domain.cases import LABEL_VALUES, FourEyes, State, refusal, same_person
from domain.errors import ConflictError, InvalidInputError, NotFoundError
from domain.events import (
    CaseAction,
    CaseApprovalRequested,
    CaseHandled,
    Envelope,
    Verdict,
    caused_event_id,
    label_event_id,
)
from eventlog.topics import ALERTS

Label = Callable[[LabelTransaction], Awaitable[object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class HandleCase:
    """`reference` is the sender's own: said again under an equal one, it is done once.
    `transactions` are those that a disposal is about; all of the case unless given. Who approves or
    refuses names the `request`."""

    action: CaseAction | Literal["approve"]
    by: str
    reference: str
    to: str | None = None
    verdict: Verdict | None = None
    transactions: Sequence[str] | None = None
    note: str | None = None
    request: str | None = None


@dataclass(frozen=True, slots=True)
class AlertedCase:
    """What the command needs to know of a case; `events` are ids of what was done.

    `amounts` are those of the transactions, in minor units of the base currency, None where they
    are not known. `requests` are those that nobody has answered, by event id.
    """

    case_id: str
    state: State
    transactions: Sequence[str]
    events: Collection[str] = ()
    amounts: Mapping[str, int | None] = field(default_factory=dict)
    requests: Mapping[str, CaseApprovalRequested] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CaseReceipt:
    """A `duplicate` was recorded before, and nothing is done anew. What is `requested` is done once
    another person approves it."""

    event_id: str
    status: Literal["recorded", "duplicate", "requested"]


async def handle_case(
    command: HandleCase, case: AlertedCase, context: Context, four_eyes: FourEyes, label: Label
) -> CaseReceipt:
    """Durable when it returns. `label` records one, or raises.

    Labels come before the event: whoever is interrupted says it again, and each counts once.
    Raises ConflictError where the action does not go with the state, or where one person would do
    what takes two; InvalidInputError for a transaction that is not of the case, NotFoundError for
    one, or a request, that is unknown.
    """
    if command.request is not None:
        return await _answered(command, command.request, case, context, label)
    assert command.action != "approve"
    by = context.cleaner.text(command.by, case.case_id)
    key = context.cleaner.text(
        label_event_id(CaseHandled, case.case_id, command.by, command.reference), case.case_id
    )
    asked = context.cleaner.text(
        label_event_id(CaseApprovalRequested, case.case_id, command.by, command.reference),
        case.case_id,
    )
    for event_id in (key, asked):
        if event_id in case.events:
            return CaseReceipt(event_id, "duplicate")
    _check_state(command.action, case)
    about = _about(command, case)
    note = command.note and context.cleaner.text(command.note, case.case_id)
    amounts = [case.amounts.get(each) for each in about]
    if four_eyes.wanted(command.action, command.verdict, amounts):
        wanted = CaseApprovalRequested(
            case_id=case.case_id,
            action=command.action,
            by=by,
            verdict=command.verdict,
            transactions=list(about) if command.verdict is not None else None,
            note=note,
        )
        await _append(wanted, asked, case.case_id, context)
        return CaseReceipt(asked, "requested")
    data = CaseHandled(
        case_id=case.case_id,
        action=command.action,
        by=by,
        to=command.to and context.cleaner.text(command.to, case.case_id),
        verdict=command.verdict,
        transactions=list(about) if command.verdict is not None else None,
        note=note,
    )
    await _label(data, context, label)
    await _append(data, key, case.case_id, context)
    return CaseReceipt(key, "recorded")


async def _answered(
    command: HandleCase, request: str, case: AlertedCase, context: Context, label: Label
) -> CaseReceipt:
    """A request has one answer, whoever gives it: the first that is recorded."""
    event_id = caused_event_id(request, CaseHandled)
    if event_id in case.events:
        return CaseReceipt(event_id, "duplicate")
    asked = case.requests.get(request)
    if asked is None:
        raise NotFoundError("request for approval", request)
    by = context.cleaner.text(command.by, case.case_id)
    note = command.note and context.cleaner.text(command.note, case.case_id)
    data = CaseHandled(case_id=case.case_id, action="refuse", by=by, note=note, request=request)
    if command.action == "approve":
        if same_person(asked.by, by):
            raise ConflictError(
                case.case_id, f"{asked.by} has asked for it: another person has to approve"
            )
        _check_state(asked.action, case)
        data = replace(
            data,
            action=asked.action,
            by=asked.by,
            approved_by=by,
            verdict=asked.verdict,
            transactions=asked.transactions,
            note=note or asked.note,
        )
        await _label(data, context, label)
    await _append(data, event_id, case.case_id, context, request)
    return CaseReceipt(event_id, "recorded")


def _check_state(action: CaseAction, case: AlertedCase) -> None:
    if said := refusal(action, case.state):
        raise ConflictError(case.case_id, f"case {case.case_id} {said}")


async def _label(data: CaseHandled, context: Context, label: Label) -> None:
    value = None if data.verdict is None else LABEL_VALUES[data.verdict]
    if value is None:
        return
    for transaction_id in data.transactions or ():
        said = LabelTransaction(
            transaction_id=transaction_id,
            kind="disposition",
            value=value,
            reporter=context.cleaner.text(data.by, transaction_id),
        )
        await label(said)


async def _append(
    data: CaseHandled | CaseApprovalRequested,
    event_id: str,
    case_id: str,
    context: Context,
    cause: str | None = None,
) -> None:
    now = context.clock()
    envelope = Envelope(
        id=event_id,
        source=context.source,
        subject=case_id,
        time=now,
        known_time=now,
        data=data,
        correlation_id=case_id,
        causation_id=cause,
    )
    await context.log.append(ALERTS, case_id, envelope)


def _about(command: HandleCase, case: AlertedCase) -> Sequence[str]:
    if command.transactions is None:
        return case.transactions
    for number, each in enumerate(command.transactions):
        if each not in case.transactions:
            raise InvalidInputError(f"transactions[{number}]", f"{each!a} is not of this case")
    return command.transactions
