"""A worker without a broker: order, gaps, retries, fencing, and how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, cast

import pytest

from domain.errors import FencedError, IntegrityError, UnavailableError
from eventlog.topics import ALERTS, TRANSACTIONS
from projections.workers.batches import Batch, BatchApp
from projections.workers.loop import Worker, explain
from tests.unit.workers.pieces import batch

NAME = TRANSACTIONS.name
Assigned = set[tuple[str, int]]


class Consumer:
    """The part of Faust's consumer that a worker uses."""

    def __init__(self) -> None:
        self.sought: list[tuple[Any, int]] = []

    def _new_topicpartition(self, topic: str, partition: int) -> tuple[str, int]:
        return topic, partition

    async def seek(self, tp: tuple[str, int], offset: int) -> None:
        self.sought.append((tp, offset))


class App:
    """The part of a Faust app that a worker uses; batches are fed by hand."""

    topic_prefix = ""

    def __init__(self, assigned: Assigned) -> None:
        self.assigned = assigned
        self.agents: dict[str, Callable[[Any], Awaitable[None]]] = {}
        self.consumer = Consumer()
        self.crashed = False
        self.crash_reason: BaseException | None = None
        self.stopped = False
        self.starts: Callable[[Assigned], Awaitable[Mapping[tuple[str, int], int]]]

    def topic(self, name: str, schema: Any) -> str:
        return name

    def agent(self, channel: str, name: str, concurrency: int) -> Callable[[Any], None]:
        assert concurrency == 1

        def take(consume: Callable[[Any], Awaitable[None]]) -> None:
            self.agents[channel] = consume

        return take

    async def start(self) -> None:
        await self.starts(self.assigned)

    async def stop(self) -> None:
        self.stopped = True

    async def feed(self, *fetched: Batch) -> None:
        async def stream() -> AsyncIterator[Batch]:
            for each in fetched:
                yield each

        await self.agents[fetched[0].topic](stream())


class Handler:
    """Keeps what it is given; `trouble` is raised first, one each time it is called."""

    def __init__(self, start: int = 0) -> None:
        self.start = start
        self.got: list[tuple[int, list[int]]] = []
        self.revoked: list[set[int]] = []
        self.trouble: list[Exception] = []
        self.called = asyncio.Event()

    async def assign(self, partitions: set[int]) -> Mapping[int, int]:
        return dict.fromkeys(partitions, self.start)

    async def handle(self, batch: Batch) -> None:
        self.called.set()
        if self.trouble:
            raise self.trouble.pop(0)
        self.got.append((batch.partition, [offset for offset, _, _ in batch.records]))

    async def revoke(self, partitions: set[int]) -> None:
        self.revoked.append(partitions)


class Bench:
    """A worker over one handler, assigned partitions 0 and 1 of TRANSACTIONS."""

    def __init__(self, start: int = 0) -> None:
        self.app = App({(NAME, 0), (NAME, 1)})
        self.handler = Handler(start)
        self.worker = Worker("bench", cast(BatchApp, self.app), {TRANSACTIONS: self.handler}, 0.0)

    async def begin(self) -> None:
        await self.app.start()

    async def feed(self, first: int, last: int, partition: int = 0, end: int | None = None) -> None:
        values = [b"x"] * (last - first + 1)
        await self.app.feed(batch(values, first=first, partition=partition, end=end))


def test_records_are_handled_once_and_from_the_position_that_was_named() -> None:
    async def run() -> None:
        bench = Bench(start=2)
        await bench.begin()
        await bench.feed(0, 3)
        await bench.feed(1, 3)
        await bench.feed(3, 5)
        assert bench.handler.got == [(0, [2, 3]), (0, [4, 5])]

    asyncio.run(run())


def test_batches_of_a_partition_that_is_not_ours_are_dropped() -> None:
    async def run() -> None:
        bench = Bench()
        await bench.begin()
        await bench.feed(0, 1, partition=5)
        assert bench.handler.got == []

    asyncio.run(run())


def test_a_jump_is_looked_at_again_before_it_is_believed() -> None:
    async def run() -> None:
        bench = Bench()
        await bench.begin()
        await bench.feed(0, 1)
        await bench.feed(4, 5)
        assert bench.app.consumer.sought == [((NAME, 0), 2)]
        assert bench.handler.got == [(0, [0, 1])]
        await bench.feed(2, 5)
        assert bench.handler.got == [(0, [0, 1]), (0, [2, 3, 4, 5])]

    asyncio.run(run())


def test_a_hole_in_the_log_is_passed_after_the_second_look() -> None:
    async def run() -> None:
        bench = Bench()
        await bench.begin()
        await bench.feed(4, 5)
        await bench.feed(7, 8)
        assert bench.handler.got == []
        await bench.feed(7, 8)
        assert bench.handler.got == [(0, [7, 8])]
        assert [offset for _, offset in bench.app.consumer.sought] == [0, 0]

    asyncio.run(run())


def test_a_batch_is_handed_in_again_until_its_server_answers() -> None:
    async def run() -> None:
        bench = Bench()
        await bench.begin()
        bench.handler.trouble = [UnavailableError("redis", "away")] * 3
        await bench.feed(0, 1)
        assert bench.handler.got == [(0, [0, 1])]
        assert bench.worker.lag == 0

    asyncio.run(run())


def test_a_fenced_partition_rests_until_the_next_assignment_and_others_go_on() -> None:
    async def run() -> None:
        bench = Bench()
        await bench.begin()
        bench.handler.trouble = [FencedError("another owns it")]
        await bench.feed(0, 1)
        await bench.feed(0, 1)
        await bench.feed(0, 0, partition=1)
        assert bench.handler.got == [(1, [0])]
        assert bench.worker.lag == 2
        await bench.begin()
        await bench.feed(0, 1)
        assert bench.handler.got == [(1, [0]), (0, [0, 1])]

    asyncio.run(run())


def test_lag_counts_what_the_log_is_known_to_hold() -> None:
    async def run() -> None:
        bench = Bench()
        await bench.begin()
        await bench.feed(0, 1, end=10)
        await bench.feed(0, 2, partition=1)
        assert bench.worker.lag == 8
        assert bench.worker.partitions == {(NAME, 0), (NAME, 1)}

    asyncio.run(run())


def test_partitions_that_went_elsewhere_are_revoked() -> None:
    async def run() -> None:
        bench = Bench()
        await bench.begin()
        bench.app.assigned = {(NAME, 1)}
        await bench.begin()
        assert bench.handler.revoked == [{0}]
        await bench.feed(0, 1)
        assert bench.handler.got == []

    asyncio.run(run())


def test_a_stopped_worker_waits_for_no_server_and_handles_nothing_more() -> None:
    async def run() -> None:
        bench = Bench()
        await bench.begin()
        bench.handler.trouble = [UnavailableError("redis", "away")] * 100_000
        feeding = asyncio.create_task(bench.feed(0, 1))
        await bench.handler.called.wait()
        bench.worker.stop()
        await asyncio.wait_for(feeding, 10)
        bench.handler.trouble = []
        await bench.feed(0, 1)
        assert bench.handler.got == []

    asyncio.run(run())


def test_run_gets_partitions_ends_when_asked_and_stops_faust() -> None:
    async def run() -> None:
        bench = Bench()
        running = asyncio.create_task(bench.worker.run())
        await asyncio.wait_for(bench.worker.ready(), 10)
        bench.worker.stop()
        await asyncio.wait_for(running, 10)
        assert bench.app.stopped

    asyncio.run(run())


def test_a_batch_under_way_is_finished_before_the_worker_stops() -> None:
    async def run() -> None:
        bench = Bench()
        go_on = asyncio.Event()
        stopped_before: list[bool] = []

        async def slow(batch: Batch) -> None:
            bench.handler.called.set()
            await go_on.wait()
            stopped_before.append(bench.app.stopped)

        bench.handler.handle = slow  # type: ignore[method-assign]
        running = asyncio.create_task(bench.worker.run())
        await bench.worker.ready()
        feeding = asyncio.create_task(bench.feed(0, 0))
        await bench.handler.called.wait()
        bench.worker.stop()
        asyncio.get_running_loop().call_later(0.05, go_on.set)
        await asyncio.wait_for(asyncio.gather(running, feeding), 10)
        assert stopped_before == [False]

    asyncio.run(run())


def test_an_error_of_no_expected_kind_ends_the_worker_and_is_told() -> None:
    async def run() -> None:
        bench = Bench()
        running = asyncio.create_task(bench.worker.run())
        await bench.worker.ready()
        bench.handler.trouble = [IntegrityError("not our bytes")]
        await bench.feed(0, 1)
        with pytest.raises(IntegrityError, match="not our bytes"):
            await asyncio.wait_for(running, 10)

    asyncio.run(run())


def test_a_crash_of_faust_ends_the_worker_with_its_reason() -> None:
    async def run() -> None:
        bench = Bench()
        bench.app.crashed, bench.app.crash_reason = True, RuntimeError("the group is gone")
        with pytest.raises(RuntimeError, match="the group is gone"):
            await asyncio.wait_for(bench.worker.run(), 10)

    asyncio.run(run())


def test_what_runs_beside_is_repeated_when_a_server_is_away_and_else_ends_the_worker() -> None:
    async def run() -> None:
        bench = Bench()
        trouble: list[Exception] = [UnavailableError("redis", "away"), IntegrityError("broken")]

        async def beside() -> None:
            raise trouble.pop(0)

        running = asyncio.create_task(bench.worker.run())
        await bench.worker.ready()
        await bench.worker.steadily(beside)()
        with pytest.raises(IntegrityError, match="broken"):
            await asyncio.wait_for(running, 10)
        assert trouble == []

    asyncio.run(run())


def test_handlers_of_two_topics_run_side_by_side_and_each_in_turn() -> None:
    async def run() -> None:
        app = App({(NAME, 0), (ALERTS.name, 0)})
        slow, quick = Handler(), Handler()
        go_on, at_once, most = asyncio.Event(), 0, 0

        async def one_at_a_time(batch: Batch) -> None:
            nonlocal at_once, most
            at_once += 1
            most = max(most, at_once)
            slow.called.set()
            await go_on.wait()
            at_once -= 1

        slow.handle = one_at_a_time  # type: ignore[method-assign]
        Worker("two", cast(BatchApp, app), {TRANSACTIONS: slow, ALERTS: quick}, 0.0)
        await app.start()
        both = asyncio.gather(
            app.feed(batch([b"x"], partition=0)), app.feed(batch([b"x"], first=1, partition=0))
        )
        await slow.called.wait()
        await app.feed(batch([b"x"], topic=ALERTS))
        assert quick.got == [(0, [0])]
        go_on.set()
        await asyncio.wait_for(both, 10)
        assert most == 1

    asyncio.run(run())


def test_errors_of_ours_are_told_in_their_own_words_and_others_with_their_kind() -> None:
    assert explain(UnavailableError("redis", "away")) == "redis: away"
    assert explain(KeyError("x")) == "KeyError: 'x'"
