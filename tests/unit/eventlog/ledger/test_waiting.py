"""Waiting for offsets: nobody is woken before the record is read, and all are after it."""

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import LogUnavailableError
from eventlog.ledger.waiting import Waiters

_offsets = st.integers(0, 12)


@given(
    st.lists(st.tuples(st.integers(0, 1), _offsets), max_size=8),
    st.lists(st.tuples(st.integers(0, 1), _offsets), max_size=8),
)
def test_who_waits_for_an_offset_goes_on_once_it_is_read_and_no_sooner(
    asked: Sequence[tuple[int, int]], ends: Sequence[tuple[int, int]]
) -> None:
    async def run() -> None:
        waiters = Waiters([0, 0])
        waiting = [asyncio.create_task(waiters.passed(*each)) for each in asked]
        for partition, end in ends:
            await asyncio.sleep(0)
            waiters.advance({partition: end})
            for _ in range(3):
                await asyncio.sleep(0)
            reached = waiters.ends()
            assert [task.done() for task in waiting] == [reached[p] > at for p, at in asked]
        waiters.fail(LogUnavailableError("gone"))
        told = await asyncio.gather(*waiting, return_exceptions=True)
        left = [isinstance(each, LogUnavailableError) for each in told]
        assert left == [waiters.end(p) <= at for p, at in asked]

    asyncio.run(run())


async def test_who_comes_after_the_reader_has_ended_is_told_so() -> None:
    waiters = Waiters([3])
    waiters.fail(LogUnavailableError("gone"))
    await waiters.passed(0, 2)
    with pytest.raises(LogUnavailableError):
        await waiters.passed(0, 3)
