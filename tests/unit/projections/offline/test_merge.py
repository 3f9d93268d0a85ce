"""The merge into the ideal order, from partitions that arrive in any order."""

from collections.abc import Iterable
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from domain.features import FeatureEvent, feature_event
from domain.times import SECOND
from projections.offline.merge import NEVER, Entry, Merge
from tests.fakes.events import labelled, scored

TRANSACTION = feature_event(scored())
LABEL = feature_event(labelled())


def entry(
    partition: int,
    offset: int,
    known_time: int,
    event: FeatureEvent | None = TRANSACTION,
    arrived: float = 0.0,
) -> Entry:
    return Entry(partition, offset, known_time, arrived, "counts", event, False)


def places(entries: Iterable[Entry]) -> list[tuple[int, int]]:
    return [(each.partition, each.offset) for each in entries]


def test_a_record_waits_while_a_partition_may_still_bring_a_smaller_one() -> None:
    merge = Merge(2, settle=0.0)
    merge.add([entry(0, 0, 10), entry(0, 1, 30)])
    assert places(merge.take(9)) == []
    merge.add([entry(1, 0, 20)])
    assert places(merge.take(9)) == [(0, 0), (1, 0)]
    merge.add([entry(1, 1, 30)])
    assert places(merge.take(9)) == [(0, 1)]


def test_equal_times_go_by_partition_and_then_by_offset() -> None:
    merge = Merge(2, settle=0.0)
    merge.add([entry(1, 0, 10), entry(1, 1, 10), entry(0, 0, 10), entry(0, 1, 10)])
    merge.add([entry(0, 2, 99), entry(1, 2, 98)])
    assert places(merge.take(4)) == [(0, 0), (0, 1), (1, 0), (1, 1)]


def test_of_equal_times_a_lesser_partition_is_waited_for_until_it_is_past_them() -> None:
    merge = Merge(2, settle=0.0)
    merge.add([entry(0, 0, 10), entry(1, 0, 10)])
    assert places(merge.take(9)) == [(0, 0)]
    merge.add([entry(0, 1, 10)])
    assert places(merge.take(9)) == [(0, 1)]
    merge.add([entry(0, 2, 11)])
    assert places(merge.take(9)) == [(1, 0)]


def test_a_label_stated_early_waits_for_its_known_time_and_moves_no_frontier() -> None:
    merge = Merge(2, settle=0.0)
    merge.add([entry(0, 0, 10), entry(0, 1, 50, LABEL), entry(0, 2, 20)])
    merge.add([entry(1, 0, 60)])
    assert places(merge.take(9)) == [(0, 0), (0, 2)]
    merge.add([entry(0, 3, 70)])
    assert places(merge.take(9)) == [(0, 1), (1, 0)]
    merge.add([entry(0, 4, 90, LABEL), entry(1, 1, 80)])
    assert places(merge.take(9)) == [(0, 3)]


def test_an_idle_partition_stops_holding_others_back_once_they_have_settled() -> None:
    merge = Merge(2, settle=2.0)
    merge.add([entry(0, 0, 10, arrived=100.0)])
    merge.idle(1, 101.9)
    assert places(merge.take(9)) == []
    merge.idle(1, 102.0)
    assert places(merge.take(9)) == []
    merge.idle(0, 102.0)
    assert places(merge.take(9)) == [(0, 0)]


def test_a_partition_is_waited_for_until_it_has_settled_beyond_a_record() -> None:
    merge = Merge(2, settle=2.0)
    merge.add([entry(0, 0, 10), entry(1, 0, 10 + 2 * SECOND), entry(0, 1, 9 + 2 * SECOND)])
    assert places(merge.take(9)) == []
    merge.add([entry(0, 2, 10 + 2 * SECOND)])
    assert places(merge.take(9)) == [(0, 0)]


def test_a_record_of_the_past_goes_at_once_and_holds_nothing_up() -> None:
    merge = Merge(2, settle=0.0)
    merge.add([entry(0, 0, 10), entry(1, 0, 11), entry(0, 1, 12)])
    assert places(merge.take(9)) == [(0, 0), (1, 0)]
    merge.add([entry(1, 1, 5), entry(1, 2, 20)])
    assert places(merge.take(9)) == [(1, 1), (0, 1)]


def test_a_record_without_a_time_goes_at_once() -> None:
    merge = Merge(2, settle=0.0)
    merge.add([entry(1, 0, NEVER, None)])
    assert places(merge.take(9)) == [(1, 0)]


def test_at_most_the_asked_number_is_taken() -> None:
    merge = Merge(1, settle=0.0)
    merge.add(entry(0, i, i) for i in range(5))
    assert places(merge.take(2)) == [(0, 0), (0, 1)]
    assert places(merge.take(9)) == [(0, 2), (0, 3), (0, 4)]


def test_an_offset_settles_once_all_before_it_are_taken() -> None:
    merge = Merge(1, settle=0.0)
    merge.add([entry(0, 0, 50, LABEL), entry(0, 1, 20), entry(0, 2, 30)])
    assert places(merge.take(9)) == [(0, 1), (0, 2)]
    assert places(merge.settled(0)) == []
    merge.add([entry(0, 3, 60)])
    assert places(merge.take(1)) == [(0, 0)]
    assert places(merge.settled(0)) == [(0, 0), (0, 1), (0, 2)]
    assert places(merge.settled(0)) == []


def test_a_partition_far_ahead_of_the_slowest_is_held() -> None:
    merge = Merge(2, settle=0.0)
    merge.add(entry(0, i, 10 + i) for i in range(3))
    merge.add([entry(1, 0, 5)])
    assert merge.hurries(0, 2)
    assert not merge.hurries(0, 3)
    assert not merge.hurries(1, 0)


_times = st.lists(st.lists(st.integers(0, 30), max_size=8).map(sorted), min_size=3, max_size=3)


@given(times=_times, choose=st.randoms(use_true_random=False))
def test_interleaved_partitions_keep_time_order(times: list[list[int]], choose: Random) -> None:
    merge, out = Merge(3, settle=0.0), []
    left = {p: [entry(p, o, at) for o, at in enumerate(ats)] for p, ats in enumerate(times)}
    while any(left.values()):
        partition = choose.choice([p for p, entries in left.items() if entries])
        merge.add([left[partition].pop(0)])
        out += list(merge.take(99))
    merge.add(entry(p, 99, 99) for p in range(3))
    out += list(merge.take(99))
    keys = [(each.known_time, each.partition, each.offset) for each in out]
    assert keys == sorted(keys)
    # All of them, and the end of the least partition.
    assert len(out) == sum(map(len, times)) + 1
