"""Blocks of an index file: whatever is lost of it, no position is ahead of its entries."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from eventlog.index.blocks import Reached, blocks, encoded, mark_of
from eventlog.index.entries import sorted_pairs

pairs = st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), st.integers(0, 2**40)), max_size=4)


def written(parts: Sequence[list[tuple[int, int]]]) -> list[bytes]:
    """A block of each, one behind the other."""
    found, check = [], 0
    for number, part in enumerate(parts, 1):
        reached = Reached(number, number - 1, mark_of(b"%d" % number))
        found.append(encoded(sorted_pairs(part), reached, check))
        (block,) = blocks(memoryview(found[-1]), check)
        check = block.check
    return found


def read(data: bytes) -> list[tuple[int, set[tuple[int, int]]]]:
    return [
        (each.reached.next, set(zip(*(a.tolist() for a in each.entries), strict=True)))
        for each in blocks(memoryview(data))
    ]


@given(st.lists(pairs, max_size=5), st.data())
def test_what_is_left_is_whole_up_to_its_position(
    parts: list[list[tuple[int, int]]], data: st.DataObject
) -> None:
    whole = b"".join(written(parts))
    expected = [(number, set(part)) for number, part in enumerate(parts, 1)]
    assert read(whole) == expected
    at = data.draw(st.integers(0, len(whole)))
    lost = data.draw(st.integers(0, 80))
    page_lost = whole[:at] + bytes(min(lost, len(whole) - at)) + whole[at + lost :]
    for left in (whole[:at], page_lost):
        found = read(left)
        assert found == expected[: len(found)]


def test_what_lay_behind_a_lost_block_is_not_taken_up_behind_the_next() -> None:
    first, second, third = written([[(1, 1)], [(2, 2)], [(3, 3)]])
    other = encoded(sorted_pairs([(9, 9)]), Reached(2, 1, 7), 0)
    assert len(other) == len(second)
    assert [at for at, _ in read(first + other + third)] == [1]
