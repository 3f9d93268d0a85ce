"""Changes of lists: whole at one position of the log, in records of bounded size."""

from collections.abc import Iterator

import pytest

from commands.policy.adapters.cel import CelLanguage
from commands.policy.lists import change as module
from commands.policy.lists.change import ChangeList, change_list, list_changes
from commands.policy.past import PastPolicies
from commands.policy.topic import current_policy
from domain.errors import ConflictError, InvalidInputError
from domain.events import Envelope, ListChange, ListEntry, ListKind
from domain.rule_values import TYPES
from eventlog.codec import encode
from eventlog.in_memory import InMemoryEventLog
from eventlog.topics import POLICY
from tests.fakes.lists import staged


@pytest.fixture
def log() -> Iterator[InMemoryEventLog]:
    made = InMemoryEventLog()
    yield made
    made.close()


def command(
    *texts: str, change: ListChange = "replace", name: str = "stolen", of: ListKind = "card"
) -> ChangeList:
    entries = [ListEntry(text, reason="reported") for text in texts]
    return ChangeList(name=name, of=of, change=change, entries=entries, reason="why", by="ann")


def on_list(log: InMemoryEventLog, text: str, name: str = "stolen") -> bool:
    found = current_policy(log).lists.in_force.get(name)
    return found is not None and bool(found.match(text, 0).value)


def test_many_entries_are_parted_and_count_from_the_last_record_on(
    log: InMemoryEventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PART", 3)
    assert change_list(log, command(*"abcdefg"), 5)
    records = list(log.read(POLICY))
    assert len(records) == 4
    past = PastPolicies(log, CelLanguage(TYPES))
    assert [bool(past.of(offset).lists.in_force) for offset in range(4)] == [
        False,
        False,
        False,
        True,
    ]
    assert all(past.of(3).lists.in_force["stolen"].match(text, 0).value for text in "abcdefg")


def test_the_longest_entries_of_one_record_stay_below_the_logs_bound() -> None:
    longest = "€" * module.MOST_TEXT
    entries = [ListEntry(longest, 2**62, longest)] * module.PART
    envelope = Envelope(
        id="i",
        source="s",
        subject="s",
        time=1,
        known_time=1,
        data=staged(entries),
        correlation_id="i",
    )
    assert len(encode(envelope)) < 2_000_000


def test_equal_entries_are_in_force_already_in_any_order(log: InMemoryEventLog) -> None:
    assert change_list(log, command("a", "b"), 5)
    assert not change_list(log, command("b", "a"), 6)
    assert change_list(log, command("c", change="add"), 7)
    assert on_list(log, "a")
    assert change_list(log, command("a", "b"), 8)
    assert not on_list(log, "c")
    assert change_list(log, command("a", change="remove"), 9)
    assert not on_list(log, "a")
    assert change_list(log, command(), 9)
    assert not on_list(log, "b")
    assert not change_list(log, command(change="add"), 9)


def test_a_list_keeps_its_kind(log: InMemoryEventLog) -> None:
    change_list(log, command("a"), 5)
    with pytest.raises(InvalidInputError, match="one of card"):
        change_list(log, command("a", of="device"), 6)


def test_a_change_that_another_one_came_before_is_told(log: InMemoryEventLog) -> None:
    class Interrupted(InMemoryEventLog):
        """Another change comes before the first flush."""

        def flush(self, timeout: float = 10.0) -> None:
            if not done:
                done.append(True)
                change_list(self, command("z"), 5)
            super().flush(timeout)

    done: list[bool] = []
    racing = Interrupted()
    with pytest.raises(ConflictError, match="try again"):
        change_list(racing, command("a"), 6)
    assert on_list(racing, "z")
    assert not on_list(racing, "a")
    racing.close()


def test_what_was_said_of_an_entry_is_found(log: InMemoryEventLog) -> None:
    change_list(log, command("a", "b"), 5)
    change_list(log, command("c", change="add"), 6)
    change_list(log, command("a", change="remove"), 7)
    change_list(log, command("a", name="other"), 8)
    found = [(each.known_time, each.fact.change) for each in list_changes(log, "stolen", "a")]
    assert found == [(5, "replace"), (7, "remove")]
    assert [each.known_time for each in list_changes(log, "stolen")] == [5, 6, 7]
    (first, *_) = list_changes(log, "stolen", "a")
    assert first.entry == ListEntry("a", None, "reported")
    assert first.fact.by == "ann"


def test_lists_are_given_as_of_any_version_in_any_order(log: InMemoryEventLog) -> None:
    for text in "abc":
        change_list(log, command(text), 5)
    past = PastPolicies(log, CelLanguage(TYPES))
    for version, text in ((5, "c"), (1, "a"), (3, "b"), (4, "b"), (1, "a")):
        found = past.of(version).lists.in_force["stolen"]
        assert [found.match(each, 0).value for each in "abc"] == [each == text for each in "abc"]
    assert past.of(-1).lists.in_force == {}
