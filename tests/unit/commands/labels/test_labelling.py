"""Labels: which are refused at once, and which are kept until their transaction is known."""

import json

import pytest

from commands import SubmitTransaction, label_transaction, submit_transaction
from commands.labels.label import label_id, parse_label, to_payload, without_cards
from domain.errors import InvalidInputError, NotFoundError
from domain.events import TransactionLabelled
from eventlog.in_memory import InMemoryEventLog
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
        assert labelled.subject == receipt.transaction_id
        assert labelled.id == label_id(command)
        assert isinstance(labelled.data, TransactionLabelled)


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
    assert "4111" not in cleaned.reference
    assert cleaned.reference.startswith("cb tok_")
