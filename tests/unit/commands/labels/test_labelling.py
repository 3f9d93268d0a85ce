"""Labels: which are refused at once, and which are kept until their transaction is known."""

import json
from collections.abc import Mapping

import pytest

from commands import SubmitTransaction, label_transaction, submit_transaction
from commands.labels.label import label_id, parse_label, to_payload, without_cards
from domain.errors import InvalidInputError, NotFoundError
from domain.events import Envelope, TransactionLabelled
from eventlog.codec import decode
from eventlog.in_memory import InMemoryEventLog
from eventlog.topics import TRANSACTIONS
from tests.fakes.deciding import deciding_process

LONGEST = "ü" * 200


def test_the_longest_id_can_be_labelled_without_a_reference_and_kept() -> None:
    command = parse_label({"transaction_id": LONGEST, "kind": "representment"})
    assert parse_label(json.loads(to_payload(command))) == command


@pytest.mark.parametrize("field", ["transaction_id", "reporter", "reference"])
@pytest.mark.parametrize("value", ["\ud800", "a\0b", "", " ", None, ["x"], "x" * 300])
def test_a_text_that_no_store_can_hold_is_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(InvalidInputError) as refused:
        parse_label({"transaction_id": "t", field: value})
    assert refused.value.field == field


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_moment_beyond_the_calendar_is_refused(moment: str) -> None:
    with pytest.raises(InvalidInputError, match="timestamp"):
        parse_label({"transaction_id": "t", "timestamp": moment})


async def test_a_label_finds_its_transaction_however_the_spaces_are_written() -> None:
    log = InMemoryEventLog()
    payload = {"transaction_id": "a\u00a0b", "amount": 1, "timestamp": "2023-10-01T12:00:00Z"}
    with deciding_process(log) as context:
        submission = SubmitTransaction(payload=payload, raw=None, mode="submit")
        receipt = await submit_transaction(submission, context)
        command = parse_label({"transaction_id": "a\u00a0b"})
        labelled = await label_transaction(command, context)
        assert (labelled.label_id, labelled.duplicate) == (label_id(command), False)
    assert [event.subject for event in labels_of(log)] == [receipt.transaction_id]


async def said(log: InMemoryEventLog, *reports: Mapping[str, object]) -> list[bool]:
    """Whether each report of the one transaction is a duplicate."""
    payload = {"transaction_id": "t", "amount": 1, "timestamp": "2023-10-01T12:00:00Z"}
    with deciding_process(log) as context:
        await submit_transaction(
            SubmitTransaction(payload=payload, raw=None, mode="submit"), context
        )
        commands = [parse_label({"transaction_id": "t", **report}) for report in reports]
        return [(await label_transaction(command, context)).duplicate for command in commands]


def labels_of(log: InMemoryEventLog) -> list[Envelope]:
    """All that were appended, in the log's order, an equal id once."""
    found = [decode(each.value) for each in log.read(TRANSACTIONS)]
    return list({e.id: e for e in found if isinstance(e.data, TransactionLabelled)}.values())


@pytest.mark.parametrize("references", [("a", "b", "c"), None])
async def test_o26_a_dispute_that_changes_sides_twice_is_three_labels(
    references: tuple[str, ...] | None,
) -> None:
    log = InMemoryEventLog()
    kinds = "chargeback", "representment", "chargeback"
    reports = [{"kind": kind} for kind in kinds]
    if references:
        reports = [r | {"reference": x} for r, x in zip(reports, references, strict=True)]
    assert await said(log, *reports) == [False, False, False]
    assert [event.data.value for event in labels_of(log)] == [1, 0, 1]


async def test_what_is_said_again_is_a_duplicate() -> None:
    log, report = InMemoryEventLog(), {"kind": "chargeback"}
    assert await said(log, report, report, report | {"reporter": "bank"}) == [False, True, False]
    own = {"reference": "r-1"}
    assert await said(InMemoryEventLog(), own, own | {"kind": "genuine"}) == [False, True]
    other = {"kind": "chargeback", "value": 0}
    assert await said(InMemoryEventLog(), report, other, other, report, report) == [
        False, False, True, False, True,
    ]  # fmt: skip


async def test_a_label_from_the_future_is_refused_before_it_is_kept() -> None:
    with deciding_process(InMemoryEventLog()) as context:
        future = parse_label({"transaction_id": "t", "timestamp": "2099-01-01T00:00:00Z"})
        with pytest.raises(InvalidInputError, match="future"):
            await label_transaction(future, context)
        with pytest.raises(NotFoundError):
            await label_transaction(parse_label({"transaction_id": "t"}), context)


def test_a_card_number_in_a_reference_becomes_its_token() -> None:
    log = InMemoryEventLog()
    with deciding_process(log) as context:
        command = parse_label({"transaction_id": "t", "reference": "cb 4111 1111 1111 1111"})
        cleaned = without_cards(command, context.cleaner)
    log.close()
    assert cleaned.reference is not None
    assert "4111" not in cleaned.reference
    assert cleaned.reference.startswith("cb tok_")
