"""Admission: a record has one status, whatever is read twice or forgotten."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from domain.errors import LogUnavailableError
from eventlog.admission.sqlite_memory import SqliteMemory
from eventlog.batch import Batch
from eventlog.port import Position
from eventlog.topics import ALERTS, TRANSACTIONS
from projections.faust.admission import RecordAdmission, since
from projections.ports import RecordStatus
from tests.builders.workers.pieces import batch
from tests.fakes.events import labelled, scored, submitted

DUPLICATED = [submitted(), submitted(), scored(), scored(), labelled(), labelled()]
EXPECTED = ["counts", "void", "counts", "void", "counts", "void"]


class DeadLetters:
    def __init__(self) -> None:
        self.got: list[tuple[Position, bytes, str]] = []
        self.away = False

    async def __call__(self, position: Position, value: bytes, reason: str) -> None:
        if self.away:
            raise LogUnavailableError("no broker answers")
        self.got.append((position, value, reason))


@pytest.fixture
def dead_letters() -> DeadLetters:
    return DeadLetters()


@pytest.fixture
def admission(tmp_path: Path, dead_letters: DeadLetters) -> Iterator[RecordAdmission]:
    admission = RecordAdmission(
        TRANSACTIONS.name, partial(SqliteMemory, tmp_path / "admission.sqlite"), dead_letters
    )
    yield admission
    admission.close()


async def statuses(admission: RecordAdmission, read: Batch) -> list[RecordStatus]:
    return [each.status for each in await admission.check(read)]


async def test_what_comes_first_counts_and_the_rest_is_void(admission: RecordAdmission) -> None:
    admission.open({0})
    assert await statuses(admission, batch(DUPLICATED)) == EXPECTED


async def test_checking_again_gives_the_same_statuses(admission: RecordAdmission) -> None:
    admission.open({0})
    read = batch(DUPLICATED)
    assert await statuses(admission, read) == EXPECTED
    assert await statuses(admission, read) == EXPECTED
    admission.commit([read])
    assert await statuses(admission, read) == EXPECTED


async def test_uncommitted_records_are_checked_after_a_restart(admission: RecordAdmission) -> None:
    assert admission.open({0, 1}) == {0: 0, 1: 0}
    read = batch(DUPLICATED[:2])
    await statuses(admission, read)
    admission.commit([read])
    await statuses(admission, batch(DUPLICATED[2:], first=2))
    admission.close()
    assert admission.open({0, 1}) == {0: 2, 1: 0}
    assert await statuses(admission, batch(DUPLICATED[2:], first=2)) == EXPECTED[2:]
    assert await statuses(admission, batch(DUPLICATED[:1], first=9)) == ["void"]


async def test_an_undecodable_record_is_dead_lettered_with_position_bytes_and_reason(
    admission: RecordAdmission, dead_letters: DeadLetters
) -> None:
    admission.open({0})
    read = batch([submitted(), b"\x00garbage", None, scored()], first=7)
    checked = await admission.check(read)
    assert [each.status for each in checked] == ["counts", "dead", "dead", "counts"]
    assert [each.envelope is None for each in checked] == [False, True, True, False]
    assert [(position, value) for position, value, _ in dead_letters.got] == [
        (Position(TRANSACTIONS.name, 0, 8), b"\x00garbage"),
        (Position(TRANSACTIONS.name, 0, 9), b""),
    ]
    assert all(reason for _, _, reason in dead_letters.got)


async def test_a_batch_is_returned_only_once_its_dead_letters_are_acknowledged(
    admission: RecordAdmission, dead_letters: DeadLetters
) -> None:
    admission.open({0})
    dead_letters.away = True
    read = batch([*DUPLICATED, b"garbage"])
    with pytest.raises(LogUnavailableError):
        await admission.check(read)
    dead_letters.away = False
    assert await statuses(admission, read) == [*EXPECTED, "dead"]


async def test_without_the_first_wins_rule_nothing_is_remembered(dead_letters: DeadLetters) -> None:
    admission = RecordAdmission(ALERTS.name, None, dead_letters)
    assert admission.open({0}) == {}
    assert await statuses(admission, batch(DUPLICATED, topic=ALERTS)) == ["counts"] * len(
        DUPLICATED
    )
    admission.commit([batch(DUPLICATED, topic=ALERTS)])


async def test_since_begins_at_the_offset_itself(admission: RecordAdmission) -> None:
    admission.open({0})
    checked = await admission.check(batch(DUPLICATED, first=10))
    assert [each.position.offset for each in since(checked, 14)] == [14, 15]
