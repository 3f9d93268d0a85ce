"""What a worker has appended itself is handled without a fetch; once, and in the log's order."""

import asyncio
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from eventlog.batch import Batch, Record
from eventlog.topics import TRANSACTIONS
from projections.faust.own_records import OwnRecords
from projections.faust.worker import Worker
from tests.builders.workers.pieces import NAME, Bench, Handler
from tests.fakes.membership import InMemoryMembership

ALL = 8


def own(offset: int) -> Record:
    return offset, None, b"x"


async def settled() -> None:
    """What is ready to run has run: taking waits for nothing but its turn."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_what_comes_next_is_handled_at_once_and_not_again_when_it_is_fetched() -> None:
    bench = Bench(start=2)
    await bench.begin()
    for offset in (3, 2):
        bench.worker.take(TRANSACTIONS, 0, own(offset))
    await settled()
    assert bench.handler.got == [(0, [2, 3])]
    await bench.feed(0, 4)
    assert bench.handler.got == [(0, [2, 3]), (0, [4])]


async def test_where_another_wrote_in_between_the_fetch_brings_it() -> None:
    bench = Bench()
    await bench.begin()
    bench.worker.take(TRANSACTIONS, 0, own(1))
    bench.worker.take(TRANSACTIONS, 1, own(0))
    await settled()
    assert bench.handler.got == [(1, [0])]
    await bench.feed(0, 1)
    assert bench.handler.got[1:] == [(0, [0, 1])]
    # No position was sought anew: the log was read as it lies.
    assert len(bench.group.sought) == 1


async def test_of_partitions_that_are_not_ours_nothing_is_handled() -> None:
    bench = Bench()
    await bench.begin()
    bench.worker.take(TRANSACTIONS, 5, own(0))
    bench.group.assign({(NAME, 1)})
    bench.worker.take(TRANSACTIONS, 0, own(0))
    await asyncio.wait_for(bench.worker.ready(), 10)
    bench.worker.take(TRANSACTIONS, 0, own(0))
    await settled()
    assert bench.handler.got == []


async def test_what_was_taken_before_an_assignment_is_handled_as_of_the_new_one() -> None:
    bench = Bench()
    await bench.begin()
    bench.worker.take(TRANSACTIONS, 0, own(0))
    bench.handler.start = 1
    await bench.begin()
    bench.worker.take(TRANSACTIONS, 0, own(1))
    await settled()
    assert bench.handler.got == [(0, [1])]


async def test_a_stopped_worker_takes_nothing_more() -> None:
    bench = Bench()
    await bench.begin()
    bench.worker.stop()
    bench.worker.take(TRANSACTIONS, 0, own(0))
    await settled()
    assert bench.handler.got == []


async def test_the_prefix_of_a_topic_is_before_its_name() -> None:
    handler, group = Handler(), InMemoryMembership({("p." + NAME, 0)})
    worker = Worker("bench", group, {TRANSACTIONS: handler}, prefix="p.")
    group.assign(group.ours)
    await asyncio.wait_for(worker.ready(), 10)
    worker.take(TRANSACTIONS, 0, own(0))
    await settled()
    assert handler.got == [(0, [0])]


async def test_while_its_topic_is_busy_no_more_than_so_many_wait() -> None:
    handled: list[int] = []
    turn, nexts = asyncio.Lock(), {(NAME, 0): 0}

    async def handle(batches: Sequence[Batch]) -> None:
        handled.extend(at for each in batches for at, _, _ in each.records)

    records = OwnRecords({NAME: turn}, nexts, handle, most=3)
    async with turn:
        for offset in range(5):
            records.add(NAME, 0, own(offset))
        await settled()
        assert handled == []
    await settled()
    assert handled == [0, 1, 2]
    # There is room again.
    nexts[NAME, 0] = 5
    records.add(NAME, 0, own(5))
    await settled()
    assert handled == [0, 1, 2, 5]


_Steps = st.lists(
    st.one_of(
        st.tuples(st.just("own"), st.integers(0, ALL - 1)),
        st.tuples(st.just("fetch"), st.integers(1, 4)),
        st.tuples(st.just("turn"), st.integers(0, 2)),
    ),
    max_size=40,
)


@given(_Steps)
def test_every_record_is_handled_once_and_in_order(steps: list[tuple[str, int]]) -> None:
    async def run() -> list[int]:
        bench, fetched = Bench(), 0
        await bench.begin()
        for kind, number in steps:
            if kind == "own":
                bench.worker.take(TRANSACTIONS, 0, own(number))
            elif kind == "turn":
                for _ in range(number):
                    await asyncio.sleep(0)
            elif fetched < ALL:
                last = min(fetched + number, ALL) - 1
                await bench.feed(fetched, last)
                fetched = last + 1
        if fetched < ALL:
            await bench.feed(fetched, ALL - 1)
        await settled()
        assert len(bench.group.sought) == 1
        return [at for _, offsets in bench.handler.got for at in offsets]

    assert asyncio.run(run()) == list(range(ALL))
