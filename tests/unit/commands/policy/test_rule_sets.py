"""Rules of all published sets, for processes that ask for them again and again."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from threading import Barrier, BrokenBarrierError
from typing import Any

import pytest

from commands.policy.lists.change import ChangeList, change_list
from commands.policy.rules import KnownRuleSets, publish_rules, rule_sets
from domain.errors import LogUnavailableError
from domain.events import ListEntry
from eventlog.in_memory import InMemoryEventLog
from eventlog.port import Recorded
from eventlog.topics import Topic
from tests.fakes.rules import rule


class WatchedLog(InMemoryEventLog):
    """Keeps the offsets of what was read, and breaks off at `breaks_at`.

    Readers wait a moment for a second one at `meeting`, so that two at once do overlap.
    """

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[int] = []
        self.breaks_at = -1
        self.meeting: Barrier | None = None

    def read(
        self,
        topic: Topic,
        start: Mapping[int, int] | None = None,
        end: Mapping[int, int] | None = None,
    ) -> Iterator[Recorded]:
        if self.meeting is not None:
            with suppress(BrokenBarrierError):
                self.meeting.wait(0.2)
        for recorded in super().read(topic, start, end):
            if recorded.position.offset == self.breaks_at:
                raise LogUnavailableError("gone")
            self.seen.append(recorded.position.offset)
            yield recorded


@pytest.fixture
def log() -> Iterator[WatchedLog]:
    with closing(WatchedLog()) as made:
        publish_rules(made, [rule("a")], "f", "", 1)
        entries = [ListEntry(f"c-{n}") for n in range(3_000)]
        change: dict[str, Any] = {"name": "stolen", "of": "card", "change": "add"}
        change_list(made, ChangeList(**change, entries=entries, reason="", by="ann"), 2)
        publish_rules(made, [rule("b")], "f", "", 3)
        made.seen.clear()
        yield made


def test_a_set_that_came_since_is_read_and_nothing_is_read_twice(log: WatchedLog) -> None:
    known = KnownRuleSets(log)
    first = known.read()
    assert {version: [each.name for each in rules] for version, rules in first.items()} == {
        0: ["a"],
        5: ["b"],
    }
    assert known.read() == first
    assert log.seen == [0, 1, 2, 3, 4, 5]
    publish_rules(log, [rule("c")], "f", "", 4)
    log.seen.clear()
    assert known.read().keys() == {0, 5, 6}
    assert log.seen == [6]
    assert first.keys() == {0, 5}
    assert known.read() == rule_sets(log)


def test_threads_that_ask_at_once_have_all_of_it_and_read_it_once(log: WatchedLog) -> None:
    known, ready = KnownRuleSets(log), Barrier(8)
    log.meeting = Barrier(2)

    def ask() -> set[int]:
        ready.wait(10)
        return set(known.read())

    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(ask) for _ in range(8)]
        assert [each.result() for each in asked] == [{0, 5}] * 8
    assert log.seen == [0, 1, 2, 3, 4, 5]


def test_a_log_that_breaks_off_loses_no_set_and_the_next_call_goes_on(log: WatchedLog) -> None:
    known = KnownRuleSets(log)
    log.breaks_at = 3
    with pytest.raises(LogUnavailableError):
        known.read()
    log.breaks_at = -1
    assert known.read().keys() == {0, 5}
    assert log.seen == [0, 1, 2, 3, 4, 5]
