"""Retrying dead letters: inbox records go back to their inbox as they were, others are left."""

from dataclasses import replace

import pytest

from domain.errors import NotFoundError
from eventlog.dead_letters import DeadRecord, dead_letter_event
from eventlog.in_memory import InMemoryEventLog
from eventlog.topics import DEAD_LETTERS, INBOX_TRANSACTIONS
from operations.log.dead_letters import retry_dead_letters

KEY = b"a secret of any length"
RECORD = DeadRecord(
    reader="decisions",
    origin=INBOX_TRANSACTIONS.name,
    partition=1,
    offset=7,
    reason="amount: must be a number",
    original=b'{"amount": "\xff"}',
    field="amount",
)


def kept(*records: DeadRecord) -> InMemoryEventLog:
    log = InMemoryEventLog()
    for record in records:
        log.append_nowait(DEAD_LETTERS, None, dead_letter_event(record, KEY, 1))
    return log


def retried(log: InMemoryEventLog, *ids: str) -> list[tuple[str, str]]:
    done: list[tuple[str, str]] = []
    retry_dead_letters(log, KEY, ids or None, lambda *said: done.append(said))
    return done


def test_a_retried_inbox_record_is_in_its_inbox_again_as_it_was() -> None:
    log = kept(RECORD, replace(RECORD, offset=8))
    ((which, done),) = retried(log, RECORD.event_id)
    (record,) = log.read(INBOX_TRANSACTIONS)
    assert record.value == RECORD.original
    assert which == RECORD.event_id
    assert "inbox.transactions" in done


def test_without_ids_all_are_retried_once() -> None:
    log = kept(RECORD, RECORD, replace(RECORD, offset=8))
    assert len(retried(log)) == 2
    assert len(list(log.read(INBOX_TRANSACTIONS))) == 2


def test_a_record_of_another_origin_is_left() -> None:
    log = kept(replace(RECORD, origin="retrace.transactions.g1"))
    ((_, done),) = retried(log)
    assert done.startswith("left")
    assert not list(log.read(INBOX_TRANSACTIONS))


def test_an_unknown_id_is_named_before_anything_is_sent() -> None:
    log = kept(RECORD)
    with pytest.raises(NotFoundError, match="dead-letter/none"):
        retried(log, RECORD.event_id, "dead-letter/none")
    assert not list(log.read(INBOX_TRANSACTIONS))
