"""What people are shown of lists is what conditions see, whatever changes lie in the log."""

from contextlib import closing
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from commands.policy.lists.change import ChangeList, change_list
from commands.policy.lists.entries import ListedEntries
from commands.policy.rules import publish_rules
from commands.policy.topic import append_fact, current_policy
from domain.events import ListEntry
from eventlog.in_memory import InMemoryEventLog
from tests.fakes.lists import declared, published, staged
from tests.fakes.rules import rule

TEXTS = "abcd"
LISTS = ("stolen", "other")
names, batches = st.sampled_from(LISTS), st.sampled_from("xy")
entries = st.lists(st.sampled_from(TEXTS), unique=True).map(
    lambda texts: [ListEntry(text) for text in texts]
)
changes = st.sampled_from(["replace", "add", "remove"])
facts = st.lists(
    st.one_of(
        st.builds(staged, entries, names, st.just("card"), batches),
        st.builds(
            published, entries, names, st.just("card"), batches, changes, st.sampled_from([0, 1])
        ),
    ),
    max_size=12,
)


@settings(max_examples=50)
@given(facts, st.integers(0, 12))
def test_what_is_listed_is_what_conditions_see(topic: list[Any], looked: int) -> None:
    log = InMemoryEventLog()
    with closing(log), closing(ListedEntries(log)) as listed:
        for number, fact in enumerate(topic):
            append_fact(log, fact, f"f-{number}", "tests", fact.name, 1)
            if number == looked:
                listed.state()
        lists = current_policy(log).lists.in_force
        heads, last = listed.state()
        assert last == len(topic) - 1
        assert {name: head.version for name, head in heads.items()} == {
            name: each.version for name, each in lists.items()
        }
        for name in LISTS:
            shown = {each.entry.text for each in listed.page(name, "", 100)}
            seen = {t for t in TEXTS if name in lists and lists[name].match(t, 0).value}
            assert shown == seen


def test_a_process_that_has_read_the_topic_changes_a_list_as_any_other() -> None:
    log = InMemoryEventLog()
    publish_rules(log, [rule()], "f", "", 1, [declared()])
    command = ChangeList(
        name="stolen", of="card", change="replace", entries=[ListEntry("a", 9, "why")],
        reason="", by="ann",
    )  # fmt: skip
    with closing(log), closing(ListedEntries(log)) as listed:
        assert change_list(log, command, 5, listed.state)
        assert not change_list(log, command, 6, listed.state)
        assert not change_list(log, command, 6)
        (found,) = listed.lists()
        assert found.head is not None
        assert (found.entries, found.head.by, found.head.known_time) == (1, "ann", 5)
        (stored,) = listed.find("stolen", ["a", "b"])
        assert stored.entry == ListEntry("a", 9, "why")
