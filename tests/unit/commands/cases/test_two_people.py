"""What takes two people: one asks, another approves, and in no order does one person do both."""

from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commands import Context
from commands.cases.handle import AlertedCase, handle_case
from commands.cases.payload import parse_handling
from commands.labels.label import label_transaction
from domain.cases import FourEyes, same_person, state_after
from domain.errors import ConflictError, InvalidInputError, NotFoundError
from domain.events import CaseApprovalRequested, CaseHandled, Envelope, TransactionLabelled
from eventlog.codec import decode
from eventlog.in_memory import InMemoryEventLog
from eventlog.topics import ALERTS, TRANSACTIONS
from tests.fakes.deciding import deciding_process, score

ALL = FourEyes(close=True, genuine_from=0, labels_from=1)
PEOPLE = ["mara", "Mara", " MARA ", "tom", "Tom"]


def events(log: InMemoryEventLog) -> list[Envelope]:
    return [decode(record.value) for record in log.read(ALERTS)]


def labels(log: InMemoryEventLog) -> list[TransactionLabelled]:
    found = [decode(record.value).data for record in log.read(TRANSACTIONS)]
    return [each for each in found if isinstance(each, TransactionLabelled)]


def as_read(case: AlertedCase, log: InMemoryEventLog) -> AlertedCase:
    """The case as its read model has it: each event id counts once."""
    first: dict[str, Envelope] = {}
    for each in events(log):
        first.setdefault(each.id, each)
    state, answered = case.state, set[str | None]()
    for each in first.values():
        if isinstance(each.data, CaseHandled):
            state = state_after(each.data) or state
            answered.add(each.data.request)
    waiting = {
        key: each.data
        for key, each in first.items()
        if isinstance(each.data, CaseApprovalRequested) and key not in answered
    }
    return replace(case, state=state, events=set(first), requests=waiting)


async def begun(context: Context) -> AlertedCase:
    await score(context, transaction_id="a", customer_id="anna")
    return AlertedCase("case-1", "open", ["a"], amounts={"a": 10_000})


async def said(
    log: InMemoryEventLog, context: Context, case: AlertedCase, rules: FourEyes, **body: Any
) -> str:
    command = parse_handling(body, str(len(events(log))))
    receipt = await handle_case(
        command, as_read(case, log), context, rules, partial(label_transaction, context=context)
    )
    return receipt.event_id if receipt.status == "requested" else receipt.status


async def test_one_asks_another_approves_and_then_it_is_done() -> None:
    log = InMemoryEventLog()
    with deciding_process(log) as context:
        case = await begun(context)
        asked = await said(log, context, case, ALL, action="dispose", verdict="genuine", by="mara")
        assert (as_read(case, log).state, labels(log)) == ("open", [])
        with pytest.raises(ConflictError, match="mara has asked for it: another person"):
            await said(log, context, case, ALL, action="approve", request=asked, by="MARA")
        body = {"action": "approve", "request": asked, "by": "tom", "note": "seen"}
        assert await said(log, context, case, ALL, **body) == "recorded"
        assert await said(log, context, case, ALL, **body) == "duplicate"
        assert as_read(case, log).state == "disposed"
    assert [(each.value, each.reporter) for each in labels(log)] == [(0, "mara")]
    done: CaseHandled = events(log)[-1].data
    assert (done.action, done.by, done.approved_by, done.note) == ("dispose", "mara", "tom", "seen")


async def test_a_request_is_refused_or_taken_back_and_then_not_approved() -> None:
    log = InMemoryEventLog()
    with deciding_process(log) as context:
        case = await begun(context)
        asked = await said(log, context, case, ALL, action="close", by="mara")
        assert await said(log, context, case, ALL, action="refuse", request=asked, by="mara")
        late = await said(log, context, case, ALL, action="approve", request=asked, by="tom")
        assert (late, as_read(case, log).state) == ("duplicate", "open")
        with pytest.raises(NotFoundError, match="request for approval"):
            await said(log, context, case, ALL, action="approve", request="other", by="tom")


@pytest.mark.parametrize(
    ("rules", "body", "asks"),
    [
        (FourEyes(), {"action": "close"}, False),
        (FourEyes(close=True), {"action": "close"}, True),
        (FourEyes(close=True), {"action": "acknowledge"}, False),
        (FourEyes(genuine_from=10_000), {"action": "dispose", "verdict": "genuine"}, True),
        (FourEyes(genuine_from=10_001), {"action": "dispose", "verdict": "genuine"}, False),
        (FourEyes(genuine_from=0), {"action": "dispose", "verdict": "fraud"}, False),
        (FourEyes(labels_from=1), {"action": "dispose", "verdict": "fraud"}, True),
        (FourEyes(labels_from=2), {"action": "dispose", "verdict": "fraud"}, False),
        (FourEyes(labels_from=1), {"action": "dispose", "verdict": "undetermined"}, False),
    ],
)
async def test_what_takes_two_people_is_declared(
    rules: FourEyes, body: dict[str, Any], asks: bool
) -> None:
    log = InMemoryEventLog()
    with deciding_process(log) as context:
        case = await begun(context)
        assert (await said(log, context, case, rules, by="mara", **body) != "recorded") == asks


def test_an_amount_that_is_not_known_is_great() -> None:
    assert FourEyes(genuine_from=10**9).wanted("dispose", "genuine", [1, None])


def test_an_answer_names_its_request() -> None:
    with pytest.raises(InvalidInputError, match="request"):
        parse_handling({"action": "approve", "by": "tom"}, "r")
    with pytest.raises(InvalidInputError, match="request"):
        parse_handling({"action": "close", "by": "tom", "request": "x"}, "r")


_ASKED: list[dict[str, Any]] = [
    {"action": "close"},
    {"action": "reopen"},
    {"action": "dispose", "verdict": "fraud"},
    {"action": "dispose", "verdict": "genuine"},
    *({"action": "approve", "of": number} for number in range(3)),
    *({"action": "refuse", "of": number} for number in range(2)),
]


@given(
    st.lists(st.tuples(st.sampled_from(_ASKED), st.sampled_from(PEOPLE)), max_size=12), st.randoms()
)
@settings(max_examples=40, deadline=None)
async def test_in_no_order_does_one_person_do_what_takes_two(
    steps: list[tuple[dict[str, Any], str]], chance: Any
) -> None:
    log = InMemoryEventLog()
    with deciding_process(log) as context:
        case = await begun(context)
        for body, by in steps:
            requests = [e.id for e in events(log) if isinstance(e.data, CaseApprovalRequested)]
            body = dict(body)
            if (of := body.pop("of", None)) is not None:
                body["request"] = requests[of] if of < len(requests) else "none"
            try:
                await said(log, context, case, ALL, by=by, **body)
            except (ConflictError, NotFoundError):
                continue
    recorded = events(log)
    for each in recorded:
        data = each.data
        if isinstance(data, CaseHandled) and data.action in ("close", "dispose"):
            assert data.approved_by is not None
            assert not same_person(data.by, data.approved_by)
    # Whoever said that it was fraud was heard only once another had approved.
    approved = sum(isinstance(e.data, CaseHandled) and e.data.action == "dispose" for e in recorded)
    assert len(labels(log)) <= approved
    # Were they read in any other order, or written by another hand, the same holds of states.
    forged = [replace(e, data=replace(e.data, approved_by=e.data.by)) if getattr(
        e.data, "approved_by", None) else e for e in recorded]  # fmt: skip
    chance.shuffle(forged)
    closing = [e.data for e in forged if isinstance(e.data, CaseHandled) and e.data.request]
    assert all(state_after(each) is None for each in closing)
