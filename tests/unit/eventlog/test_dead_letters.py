"""Dead letters: sealed, listed once, opened with the key, retried."""

import base64
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import IntegrityError, NotFoundError
from eventlog.codec import decode
from eventlog.dead_letters import (
    DeadRecord,
    dead_letter,
    dead_letter_of,
    dead_letters,
    seal,
    unseal,
)
from eventlog.in_memory import InMemoryEventLog
from eventlog.port import Position
from eventlog.topics import DEAD_LETTERS, INBOX_TRANSACTIONS

KEY = b"a secret of any length"
NOW = 1_700_000_000_000_000
RECORD = DeadRecord(
    reader="decisions",
    origin=INBOX_TRANSACTIONS.name,
    partition=1,
    offset=7,
    reason="amount: must be a number",
    original=b'{"amount": "\xff"}',
    field="amount",
)


async def set_aside(log: InMemoryEventLog, *records: DeadRecord) -> list[Position]:
    return [await dead_letter(log, record, KEY, lambda: NOW) for record in records]


@given(st.binary())
def test_sealed_bytes_are_opened_with_their_key(original: bytes) -> None:
    assert unseal(seal(original, KEY), KEY) == original


def test_sealed_bytes_show_nothing_and_never_repeat() -> None:
    original = b"4111111111111111" * 4
    assert seal(original, KEY) != seal(original, KEY)
    assert b"4111" not in base64.b64decode(seal(original, KEY))


@pytest.mark.parametrize("altered", ["", "!!", "AAAA", "another key", "one bit"])
def test_an_altered_letter_or_another_key_is_refused(altered: str) -> None:
    sealed, key = seal(b"original", KEY), KEY
    if altered == "another key":
        key = b"another secret of any length"
    elif altered == "one bit":
        held = bytearray(base64.b64decode(sealed))
        held[-1] ^= 1
        sealed = base64.b64encode(held).decode()
    else:
        sealed = altered
    with pytest.raises(IntegrityError, match="RETRACE_DEAD_LETTER_KEY"):
        unseal(sealed, key)


async def test_a_dead_letter_tells_where_it_came_from_and_why() -> None:
    log = InMemoryEventLog()
    (place,) = await set_aside(log, RECORD)
    envelope = decode(log.read_one(place).value)
    assert place.topic == DEAD_LETTERS.name
    assert envelope.id == "dead-letter/decisions/inbox.transactions/1/7"
    assert (envelope.time, envelope.known_time, envelope.source) == (NOW, NOW, "decisions")
    letter = envelope.data
    assert (letter.origin, letter.partition, letter.offset) == ("inbox.transactions", 1, 7)
    assert (letter.field, letter.reason) == ("amount", "amount: must be a number")
    assert unseal(letter.sealed, KEY) == RECORD.original


async def test_a_record_dead_lettered_twice_is_listed_once() -> None:
    log = InMemoryEventLog()
    await set_aside(
        log, RECORD, RECORD, replace(RECORD, offset=8), replace(RECORD, reader="features")
    )
    listed = list(dead_letters(log))
    assert [(each.data.reader, each.data.offset) for each in listed] == [
        ("decisions", 7),
        ("decisions", 8),
        ("features", 7),
    ]
    assert dead_letter_of(log, RECORD.event_id) == listed[0]


def test_an_unknown_dead_letter_is_named() -> None:
    with pytest.raises(NotFoundError, match="dead-letter/none"):
        dead_letter_of(InMemoryEventLog(), "dead-letter/none")
