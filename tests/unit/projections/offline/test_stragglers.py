"""Stragglers: which vectors are made, and what must be made anew."""

from domain.features import feature_event
from projections.offline.merge import Entry
from projections.offline.stragglers import Span, Stragglers
from tests.fakes.events import labelled, scored

LABEL = feature_event(labelled())
TRANSACTION = feature_event(scored())


def entry(partition: int, offset: int, known: int, arrived: float = 0.0) -> Entry:
    return Entry(partition, offset, known, arrived, "counts", TRANSACTION, True)


def taken(stragglers: Stragglers, *entries: Entry) -> list[bool]:
    return [stragglers.take(each) for each in entries]


def test_what_comes_in_order_is_made_and_nothing_is_outstanding() -> None:
    stragglers = Stragglers({0: 0, 1: 0})
    assert taken(stragglers, entry(0, 0, 10), entry(1, 0, 10), entry(0, 1, 11)) == [True] * 3
    assert not stragglers.outstanding


def test_an_event_below_what_was_taken_makes_all_from_its_place_on_anew() -> None:
    stragglers = Stragglers({0: 0, 1: 0})
    taken(stragglers, entry(0, 0, 10), entry(1, 0, 20), entry(0, 1, 15), entry(0, 2, 12))
    assert stragglers.outstanding
    assert stragglers.begin() == Span((12, 0, 2), (20, 1, 0))


def test_at_equal_times_the_place_decides() -> None:
    stragglers = Stragglers({0: 0, 1: 0})
    taken(stragglers, entry(1, 0, 10), entry(0, 0, 10))
    assert stragglers.begin().since == (10, 0, 0)


def test_a_label_that_comes_too_late_is_a_straggler() -> None:
    stragglers = Stragglers({0: 0})
    taken(stragglers, entry(0, 0, 10))
    stragglers.take(Entry(0, 1, 5, 0.0, "counts", LABEL, False))
    assert stragglers.begin().since == (5, 0, 1)


def test_stored_rows_are_made_again_only_after_the_first_record_that_is_not() -> None:
    stragglers = Stragglers({0: 1, 1: 5})
    found = taken(stragglers, entry(0, 0, 10), entry(1, 1, 11), entry(0, 1, 12), entry(1, 2, 13))
    assert found == [False, False, True, True]
    assert not stragglers.outstanding


def test_a_straggler_that_is_stored_concerns_only_what_is_made_now() -> None:
    stragglers = Stragglers({0: 5, 1: 1})
    taken(stragglers, entry(1, 0, 20), entry(0, 0, 12))
    assert not stragglers.outstanding
    taken(stragglers, entry(1, 1, 30), entry(0, 1, 13))
    assert stragglers.begin().since == (13, 0, 1)


def test_it_is_time_once_stragglers_are_quiet_or_never_cease() -> None:
    stragglers = Stragglers({0: 0})
    assert not stragglers.ripe(1e9, 2.0)
    taken(stragglers, entry(0, 0, 90, 100.0), entry(0, 1, 10, 100.0))
    assert not stragglers.ripe(101.9, 2.0)
    assert stragglers.ripe(102.0, 2.0)
    taken(stragglers, entry(0, 2, 11, 999.0))
    assert not stragglers.ripe(999.9, 2.0)
    assert stragglers.ripe(1000.0, 2.0)


def test_what_is_put_back_is_still_to_be_done_together_with_what_came_meanwhile() -> None:
    stragglers = Stragglers({0: 0})
    taken(stragglers, entry(0, 0, 90), entry(0, 1, 10))
    stragglers.begin()
    assert not stragglers.ripe(100.0, 2.0)
    taken(stragglers, entry(0, 2, 50))
    stragglers.put_back()
    assert stragglers.begin().since == (10, 0, 1)
    stragglers.done()
    assert not stragglers.outstanding
