"""Assignments of a worker: as long as a store is away, superseded, and what comes in between."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from domain.errors import FencedError, IntegrityError, UnavailableError
from eventlog.batch import Batch
from tests.builders.workers.pieces import NAME, Bench


class Gate:
    """Stops the next `assign` of a handler until it is opened."""

    def __init__(self, bench: Bench) -> None:
        self.opened, self.reached = asyncio.Event(), asyncio.Event()
        self.asked: list[set[int]] = []
        self._assign = bench.handler.assign
        bench.handler.assign = self.assign  # type: ignore[method-assign]

    async def assign(self, partitions: set[int]) -> Mapping[int, int]:
        self.asked.append(partitions)
        self.reached.set()
        await self.opened.wait()
        return await self._assign(partitions)


async def test_an_assignment_lasts_as_long_as_its_store_is_away() -> None:
    bench = Bench(start=3)
    bench.handler.trouble_of_assign = [UnavailableError("redis", "away")] * 500
    await bench.group.start()
    assert bench.worker.positions == {}
    await asyncio.wait_for(bench.worker.ready(), 10)
    assert bench.handler.trouble_of_assign == []
    assert bench.group.sought == [{(NAME, 0): 3, (NAME, 1): 3}]
    await bench.feed(3, 4)
    assert bench.handler.got == [(0, [3, 4])]


async def test_what_comes_before_an_assignment_is_complete_is_dropped_at_once() -> None:
    bench = Bench()
    gate = Gate(bench)
    await bench.group.start()
    await gate.reached.wait()
    await asyncio.wait_for(bench.feed(0, 1), 10)
    gate.opened.set()
    await asyncio.wait_for(bench.worker.ready(), 10)
    assert bench.handler.got == []
    await bench.feed(0, 1)
    assert bench.handler.got == [(0, [0, 1])]


async def test_nothing_of_a_superseded_assignment_takes_effect() -> None:
    bench = Bench()
    gate = Gate(bench)
    await bench.group.start()
    await gate.reached.wait()
    bench.group.assign({(NAME, 1)})
    gate.opened.set()
    await asyncio.wait_for(bench.worker.ready(), 10)
    assert gate.asked == [{0, 1}, {1}]
    assert bench.handler.revoked == [{0}]
    assert bench.group.sought == [{(NAME, 1): 0}]
    assert bench.worker.positions == {(NAME, 1): 0}


async def test_a_superseded_assignment_waits_for_no_server() -> None:
    bench = Bench()
    asked: list[set[int]] = []

    async def away_for_two(partitions: set[int]) -> Mapping[int, int]:
        asked.append(partitions)
        if len(partitions) == 2:
            bench.group.assign({(NAME, 1)})
            raise UnavailableError("redis", "away")
        return dict.fromkeys(partitions, 0)

    bench.handler.assign = away_for_two  # type: ignore[method-assign]
    await bench.group.start()
    await asyncio.wait_for(bench.worker.ready(), 10)
    assert asked == [{0, 1}, {1}]


async def test_an_assignment_superseded_while_it_seeks_is_made_again() -> None:
    bench = Bench()
    sought: list[set[tuple[str, int]]] = []

    async def rebalance_once(positions: Mapping[tuple[str, int], int]) -> None:
        sought.append(set(positions))
        if len(sought) == 1:
            bench.group.assign({(NAME, 1)})

    bench.group.seek = rebalance_once  # type: ignore[method-assign]
    await bench.group.start()
    await asyncio.wait_for(bench.worker.ready(), 10)
    assert sought == [{(NAME, 0), (NAME, 1)}, {(NAME, 1)}]
    assert bench.worker.positions == {(NAME, 1): 0}


@pytest.mark.parametrize("outcome", [None, FencedError("another owns it")])
async def test_the_end_of_an_earlier_batch_does_not_reach_a_newer_assignment(
    outcome: FencedError | None,
) -> None:
    bench = Bench()
    await bench.begin()
    go_on = asyncio.Event()
    handle = bench.handler.handle

    async def slow(batches: Sequence[Batch]) -> None:
        assert batches[0].first == 0
        bench.handler.called.set()
        await go_on.wait()
        if outcome:
            raise outcome

    bench.handler.handle = slow  # type: ignore[method-assign]
    feeding = asyncio.create_task(bench.feed(0, 1))
    await bench.handler.called.wait()
    bench.group.assign(bench.group.ours)
    go_on.set()
    await asyncio.wait_for(asyncio.gather(feeding, bench.worker.ready()), 10)
    assert bench.worker.positions[(NAME, 0)] == 0
    bench.handler.handle = handle  # type: ignore[method-assign]
    await bench.feed(0, 1)
    assert bench.handler.got == [(0, [0, 1])]


async def test_a_batch_that_waits_for_a_server_makes_way_for_a_newer_assignment() -> None:
    bench = Bench()
    await bench.begin()
    bench.handler.trouble = [UnavailableError("redis", "away")] * 100_000
    feeding = asyncio.create_task(bench.feed(0, 1))
    await bench.handler.called.wait()
    bench.group.assign({(NAME, 1)})
    await asyncio.wait_for(asyncio.gather(feeding, bench.worker.ready()), 10)
    assert bench.worker.positions == {(NAME, 1): 0}
    assert bench.handler.got == []


async def test_a_batch_that_waits_for_its_turn_is_dropped_after_a_newer_assignment() -> None:
    bench = Bench()
    await bench.begin()
    go_on = asyncio.Event()

    async def slow(batches: Sequence[Batch]) -> None:
        assert batches[0].first == 0
        bench.handler.called.set()
        await go_on.wait()

    bench.handler.handle = slow  # type: ignore[method-assign]
    both = asyncio.gather(bench.feed(0, 1), bench.feed(2, 3))
    await bench.handler.called.wait()
    bench.group.assign({(NAME, 1)})
    go_on.set()
    await asyncio.wait_for(both, 10)
    await asyncio.wait_for(bench.worker.ready(), 10)
    bench.worker.stop()
    await bench.worker.run()


async def test_a_member_that_gets_no_partitions_stands_by() -> None:
    bench = Bench()
    bench.group.ours = frozenset()
    await bench.begin()
    assert bench.group.sought == []
    assert not bench.worker.unassigned


async def test_an_assignment_that_fails_ends_the_worker() -> None:
    bench = Bench()
    bench.handler.trouble_of_assign = [IntegrityError("not our archive")]
    with pytest.raises(IntegrityError, match="not our archive"):
        await asyncio.wait_for(bench.worker.run(), 10)


async def test_a_worker_that_is_stopped_in_an_assignment_ends_cleanly() -> None:
    bench = Bench()
    bench.handler.trouble_of_assign = [UnavailableError("redis", "away")] * 100_000
    running = asyncio.create_task(bench.worker.run())
    await bench.handler.assigning.wait()
    bench.worker.stop()
    await asyncio.wait_for(running, 10)
    assert bench.group.stopped
    assert bench.group.sought == []
