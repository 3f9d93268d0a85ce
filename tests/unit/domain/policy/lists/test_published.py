"""Published lists: what is in force when, and what is on a list at a time."""

import pytest

from domain.events import ListEntry, ListKind
from domain.policy.lists.declared import faults_of_list
from domain.policy.lists.published import NO_LISTS, Match
from tests.fakes.lists import declared, lists_of, published, staged

ENTRIES = [ListEntry("a"), ListEntry("b", until=100)]


def test_staged_entries_are_nothing_until_they_are_published() -> None:
    waiting = NO_LISTS.apply(staged(ENTRIES), 1)
    assert waiting.in_force == {}
    made = waiting.apply(published(ENTRIES), 2)
    assert made.staged == {}
    assert made.in_force["stolen"].version == 2
    assert made.in_force["stolen"].match("a", 0) == Match(True, "a")
    # The snapshot before is as it was.
    assert waiting.in_force == {}


def test_an_entry_counts_before_its_end_by_the_time_of_the_transaction() -> None:
    found = lists_of(ENTRIES).in_force["stolen"]
    assert [found.match("b", moment).value for moment in (99, 100)] == [True, False]
    assert found.match("c", 0) == Match(False, None)


def test_entries_are_added_replaced_and_removed() -> None:
    made = lists_of(ENTRIES)
    more = [ListEntry("b"), ListEntry("c")]
    made = made.apply(staged(more, batch="x"), 5).apply(published(more, batch="x", change="add"), 6)
    assert [made.in_force["stolen"].match(text, 200).value for text in "abc"] == [True] * 3
    less = [ListEntry("a")]
    gone = published(less, batch="y", change="remove")
    made = made.apply(staged(less, batch="y"), 7).apply(gone, 8)
    assert [made.in_force["stolen"].match(text, 200).value for text in "abc"] == [False, True, True]
    made = made.apply(published([], batch="z", parts=0), 9)
    assert not made.in_force["stolen"].match("b", 0).value


def test_a_change_without_all_its_parts_is_void() -> None:
    before = lists_of(ENTRIES)
    other = [ListEntry("z")]
    half = before.apply(staged(other, batch="x"), 5)
    assert half.apply(published(other, batch="x", parts=2), 6) is half
    # A change that came between made the first one's parts void.
    between = half.apply(staged(other, batch="y"), 6).apply(published(other, batch="y"), 7)
    assert between.apply(published(other, batch="x"), 8) is between


@pytest.mark.parametrize(
    ("of", "entries", "text", "entry"),
    [
        ("ip", ["10.0.0.0/8", "10.1.0.0/16"], "10.1.2.3", "10.1.0.0/16"),
        ("ip", ["10.0.0.0/8", "10.1.0.0/16"], "10.2.2.3", "10.0.0.0/8"),
        ("ip", ["10.0.0.0/8", "192.0.2.7/32"], "192.0.2.7", "192.0.2.7/32"),
        ("ip", ["10.0.0.0/8"], "11.0.0.1", None),
        ("ip", ["0.0.0.0/0"], "2001:db8::1", None),
        ("ip", ["2001:db8::/32", "0.0.0.0/0"], "2001:db8::1", "2001:db8::/32"),
        ("bin", ["40", "400012"], "400012", "400012"),
        ("bin", ["40", "400012"], "400013", "40"),
        ("bin", ["40", "400012"], "410013", None),
        ("country", ["DE"], "DE", "DE"),
        ("email_domain", ["example.org"], "Ann@Example.org ", "example.org"),
        ("email_domain", ["example.org"], "ann@mail.example.org", None),
        ("name", ["Ivan Petrov"], "petrov ivan", "Ivan Petrov (1.00)"),
        ("name", ["Ivan Petrov"], "maria petrov", None),
    ],
)
def test_each_kind_is_looked_up_in_its_way(
    of: ListKind, entries: list[str], text: str, entry: str | None
) -> None:
    found = lists_of([ListEntry(each) for each in entries], of=of).in_force["stolen"]
    assert found.match(text, 0).entry == entry


@pytest.mark.parametrize(
    ("made", "fields"),
    [
        (declared("a_list"), []),
        (declared("a-list"), ["name"]),
        (declared(of="name", attribute="payee"), []),
        (declared(of="name"), ["attribute"]),
        (declared(attribute="payee"), ["attribute"]),
        (declared(of="payee"), ["of"]),  # type: ignore[arg-type]
    ],
)
def test_a_declaration_must_be_whole(made: object, fields: list[str]) -> None:
    assert [name for name, _ in faults_of_list(made)] == fields  # type: ignore[arg-type]
