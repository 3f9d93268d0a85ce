"""Verdicts: once and for ever, whatever is read twice or forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.errors import LogUnavailableError
from eventlog.batch import Batch
from eventlog.port import Position
from eventlog.topics import ALERTS, TRANSACTIONS
from projections.faust.admission import Judge, since
from projections.ports import Verdict
from tests.builders.worker_pieces import batch
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
def judge(tmp_path: Path, dead_letters: DeadLetters) -> Iterator[Judge]:
    judge = Judge(TRANSACTIONS.name, tmp_path / "judge.sqlite", dead_letters)
    yield judge
    judge.close()


def verdicts(judge: Judge, read: Batch) -> list[Verdict]:
    return [each.verdict for each in asyncio.run(judge.judge(read))]


def test_what_comes_first_counts_and_the_rest_is_void(judge: Judge) -> None:
    judge.open({0})
    assert verdicts(judge, batch(DUPLICATED)) == EXPECTED


def test_judging_again_gives_the_same_verdicts(judge: Judge) -> None:
    judge.open({0})
    read = batch(DUPLICATED)
    assert verdicts(judge, read) == EXPECTED
    assert verdicts(judge, read) == EXPECTED
    judge.keep(read)
    assert verdicts(judge, read) == EXPECTED


def test_what_was_not_kept_is_judged_again_after_a_restart(judge: Judge) -> None:
    assert judge.open({0, 1}) == {0: 0, 1: 0}
    read = batch(DUPLICATED[:2])
    verdicts(judge, read)
    judge.keep(read)
    verdicts(judge, batch(DUPLICATED[2:], first=2))
    judge.close()
    assert judge.open({0, 1}) == {0: 2, 1: 0}
    assert verdicts(judge, batch(DUPLICATED[2:], first=2)) == EXPECTED[2:]
    assert verdicts(judge, batch(DUPLICATED[:1], first=9)) == ["void"]


def test_a_record_that_cannot_be_read_is_dead_and_its_letter_names_place_bytes_and_reason(
    judge: Judge, dead_letters: DeadLetters
) -> None:
    judge.open({0})
    read = batch([submitted(), b"\x00garbage", None, scored()], first=7)
    judged = asyncio.run(judge.judge(read))
    assert [each.verdict for each in judged] == ["counts", "dead", "dead", "counts"]
    assert [each.envelope is None for each in judged] == [False, True, True, False]
    assert [(position, value) for position, value, _ in dead_letters.got] == [
        (Position(TRANSACTIONS.name, 0, 8), b"\x00garbage"),
        (Position(TRANSACTIONS.name, 0, 9), b""),
    ]
    assert all(reason for _, _, reason in dead_letters.got)


def test_nothing_is_judged_before_its_dead_letters_are_acknowledged(
    judge: Judge, dead_letters: DeadLetters
) -> None:
    judge.open({0})
    dead_letters.away = True
    read = batch([*DUPLICATED, b"garbage"])
    with pytest.raises(LogUnavailableError):
        asyncio.run(judge.judge(read))
    dead_letters.away = False
    assert verdicts(judge, read) == [*EXPECTED, "dead"]


def test_a_topic_without_a_void_rule_remembers_nothing(dead_letters: DeadLetters) -> None:
    judge = Judge(ALERTS.name, None, dead_letters)
    assert judge.open({0}) == {}
    assert verdicts(judge, batch(DUPLICATED, topic=ALERTS)) == ["counts"] * len(DUPLICATED)
    judge.keep(batch(DUPLICATED, topic=ALERTS))


def test_since_begins_at_the_offset_itself(judge: Judge) -> None:
    judge.open({0})
    judged = asyncio.run(judge.judge(batch(DUPLICATED, first=10)))
    assert [each.position.offset for each in since(judged, 14)] == [14, 15]
