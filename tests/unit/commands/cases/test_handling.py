"""Handling of cases: what is refused, and that a disposal labels and is done once."""

from functools import partial
from typing import Any, get_args

import pytest

from commands import Context
from commands.cases.handle import AlertedCase, CaseReceipt, HandleCase, handle_case
from commands.cases.payload import parse_handling
from commands.labels.label import label_transaction
from domain.cases import DONE, PRIORITIES, FourEyes, State, priority_of, refusal
from domain.errors import ConflictError, InvalidInputError
from domain.events import CaseAction, CaseHandled, TransactionLabelled
from eventlog.codec import decode
from eventlog.in_memory import InMemoryEventLog
from eventlog.topics import ALERTS, TRANSACTIONS, Topic
from tests.fakes.deciding import deciding_process, score


def test_a_case_that_is_done_takes_notes_and_is_reopened_and_no_other_is() -> None:
    allowed = {
        (action, state)
        for action in get_args(CaseAction)
        for state in get_args(State)
        if refusal(action, state) is None
    }
    for state in get_args(State):
        of_state = {action for action, of in allowed if of == state}
        whole = set(get_args(CaseAction))
        assert of_state == ({"note", "refuse", "reopen"} if state in DONE else whole - {"reopen"})


def test_priorities_go_from_the_greatest_loss_to_none() -> None:
    least = [bound for bound, _ in PRIORITIES.values()]
    assert least == sorted(least, reverse=True)
    assert [priority_of(bound) for bound in least] == list(PRIORITIES)
    assert [priority_of(bound - 0.01) for bound in least[:-1]] == [2, 3, 4]


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        ({"action": "solve"}, "action"),
        ({}, "action"),
        ({"action": "assign"}, "to"),
        ({"action": "escalate", "to": " "}, "to"),
        ({"action": "note"}, "note"),
        ({"action": "note", "note": "a\0b"}, "note"),
        ({"action": "dispose"}, "verdict"),
        ({"action": "dispose", "verdict": "maybe"}, "verdict"),
        ({"action": "dispose", "verdict": "fraud", "transactions": []}, "transactions"),
        ({"action": "dispose", "verdict": "fraud", "transactions": "a"}, "transactions"),
        ({"action": "close", "verdict": "fraud"}, "verdict"),
        ({"action": "close", "to": "tom"}, "to"),
        ({"action": "close", "transactions": ["a"]}, "transactions"),
        ({"action": "close", "by": 7}, "by"),
        ({"action": "close", "who": "mara"}, "body"),
    ],
)
def test_what_is_wrong_is_refused_by_name(payload: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        parse_handling({"by": "mara"} | payload, "r")
    assert refused.value.field == field


async def told(command: HandleCase, case: AlertedCase, context: Context) -> CaseReceipt:
    label = partial(label_transaction, context=context)
    return await handle_case(command, case, context, FourEyes(), label)


def facts(log: InMemoryEventLog, topic: Topic, kind: type) -> list[Any]:
    found = [decode(record.value) for record in log.read(topic)]
    return [each.data for each in found if isinstance(each.data, kind)]


async def case_of(context: Context, state: State = "open", *events: str) -> AlertedCase:
    for name in "ab":
        await score(context, transaction_id=name, customer_id="anna")
    return AlertedCase("case-1", state, ["a", "b"], events)


@pytest.mark.parametrize(("verdict", "value"), [("fraud", 1), ("genuine", 0)])
async def test_a_verdict_labels_the_payments_of_the_case(verdict: str, value: int) -> None:
    log = InMemoryEventLog()
    with deciding_process(log) as context:
        case = await case_of(context)
        said = {"action": "dispose", "by": "mara", "verdict": verdict}
        for _ in range(2):  # interrupted before the event was told, and said again
            receipt = await told(parse_handling(said, "r"), case, context)
            assert receipt.status == "recorded"
    labels = facts(log, TRANSACTIONS, TransactionLabelled)
    assert {(x.transaction_id, x.value, x.kind, x.reporter) for x in labels} == {
        ("a", value, "disposition", "mara"), ("b", value, "disposition", "mara"),
    }  # fmt: skip
    assert len(labels) == 2
    handled: CaseHandled = facts(log, ALERTS, CaseHandled)[0]
    assert (handled.verdict, handled.transactions) == (verdict, ["a", "b"])


async def test_an_undetermined_case_is_done_and_labels_nothing() -> None:
    log = InMemoryEventLog()
    with deciding_process(log) as context:
        case = await case_of(context)
        said = {"action": "dispose", "by": "mara", "verdict": "undetermined"}
        await told(parse_handling(said, "r"), case, context)
    assert facts(log, TRANSACTIONS, TransactionLabelled) == []
    assert len(facts(log, ALERTS, CaseHandled)) == 1


async def test_part_of_a_case_can_be_disposed_of_and_nothing_beyond_it() -> None:
    log = InMemoryEventLog()
    with deciding_process(log) as context:
        case = await case_of(context)
        said = {"action": "dispose", "by": "mara", "verdict": "fraud"}
        await told(parse_handling(said | {"transactions": ["b"]}, "r"), case, context)
        with pytest.raises(InvalidInputError, match="not of this case"):
            await told(parse_handling(said | {"transactions": ["c"]}, "s"), case, context)
    labels = facts(log, TRANSACTIONS, TransactionLabelled)
    assert [each.transaction_id for each in labels] == ["b"]


async def test_what_was_recorded_before_is_answered_as_a_duplicate_whatever_the_state() -> None:
    log = InMemoryEventLog()
    with deciding_process(log) as context:
        command = parse_handling({"action": "close", "by": "mara", "reference": "r"}, "none")
        first = await told(command, await case_of(context), context)
        done = await case_of(context, "closed", first.event_id)
        assert (await told(command, done, context)).status == "duplicate"
        other = parse_handling({"action": "close", "by": "mara"}, "other")
        with pytest.raises(ConflictError, match="reopen it first"):
            await told(other, done, context)
    assert len(facts(log, ALERTS, CaseHandled)) == 1


async def test_card_numbers_in_what_people_write_are_replaced() -> None:
    log = InMemoryEventLog()
    with deciding_process(log) as context:
        said = {"action": "note", "by": "mara", "note": "card 4111111111111111 called"}
        await told(parse_handling(said, "4111111111111111"), await case_of(context), context)
    assert all(b"4111111111111111" not in record.value for record in log.read(ALERTS))
