"""A worker without a broker: order, gaps, retries, fencing, and how it ends."""

import asyncio
from collections.abc import Sequence

import pytest

from domain.errors import FencedError, IntegrityError, UnavailableError, explain
from eventlog.batch import Batch
from eventlog.topics import ALERTS, TRANSACTIONS
from projections.faust.worker import Worker
from tests.builders.workers.pieces import NAME, Bench, Handler, batch
from tests.fakes.membership import InMemoryMembership


async def test_records_are_handled_once_and_from_the_position_that_was_named() -> None:
    bench = Bench(start=2)
    await bench.begin()
    await bench.feed(0, 3)
    await bench.feed(1, 3)
    await bench.feed(3, 5)
    assert bench.handler.got == [(0, [2, 3]), (0, [4, 5])]


async def test_batches_of_a_partition_that_is_not_ours_are_dropped() -> None:
    bench = Bench()
    await bench.begin()
    await bench.feed(0, 1, partition=5)
    assert bench.handler.got == []


async def test_after_a_jump_the_missing_offsets_are_fetched_again() -> None:
    bench = Bench()
    await bench.begin()
    await bench.feed(0, 1)
    await bench.feed(4, 5)
    assert bench.group.sought[1:] == [{(NAME, 0): 2}]
    assert bench.handler.got == [(0, [0, 1])]
    await bench.feed(2, 5)
    assert bench.handler.got == [(0, [0, 1]), (0, [2, 3, 4, 5])]


async def test_a_hole_in_the_log_is_passed_when_two_more_fetches_do_not_fill_it() -> None:
    bench = Bench()
    await bench.begin()
    await bench.feed(4, 5)
    for _ in range(2):
        assert bench.handler.got == []
        await bench.feed(7, 8)
    assert bench.handler.got == []
    await bench.feed(7, 8)
    assert bench.handler.got == [(0, [7, 8])]
    assert bench.group.sought[1:] == [{(NAME, 0): 0}] * 3


async def test_a_batch_is_handed_in_again_until_its_server_answers() -> None:
    bench = Bench()
    await bench.begin()
    bench.handler.trouble = [UnavailableError("redis", "away")] * 3
    await bench.feed(0, 1)
    assert bench.handler.got == [(0, [0, 1])]
    assert bench.worker.lag == 0


async def test_a_fenced_partition_waits_for_the_next_assignment_and_others_go_on() -> None:
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


async def test_a_fenced_handler_is_assigned_its_partitions_again_in_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("projections.faust.worker._FENCED_SECONDS", 0.0)
    bench = Bench(start=3)
    await bench.begin()
    await bench.feed(3, 5)
    bench.handler.trouble = [FencedError("the store came back older")]
    bench.group.sought.clear()
    bench.group.was_sought.clear()
    await bench.feed(6, 7)
    await asyncio.wait_for(bench.group.was_sought.wait(), 10)
    await asyncio.wait_for(bench.worker.ready(), 10)
    assert bench.group.sought == [{(NAME, 0): 3, (NAME, 1): 3}]
    await bench.feed(6, 7)
    await bench.feed(3, 7)
    assert bench.handler.got == [(0, [3, 4, 5]), (0, [3, 4, 5, 6, 7])]


async def test_an_assignment_under_way_is_not_begun_again() -> None:
    bench, took = Bench(), list[set[int]]()

    async def assign(partitions: set[int]) -> dict[int, int]:
        took.append(partitions)
        if len(took) == 1:
            bench.worker.again()
        return dict.fromkeys(partitions, 0)

    bench.handler.assign = assign  # type: ignore[method-assign]
    await bench.begin()
    assert took == [{0, 1}]
    bench.worker.again()
    await asyncio.wait_for(bench.worker.ready(), 10)
    assert took == [{0, 1}] * 2


async def test_lag_counts_what_the_log_is_known_to_hold() -> None:
    bench = Bench()
    await bench.begin()
    await bench.feed(0, 1, end=10)
    await bench.feed(0, 2, partition=1)
    assert bench.worker.lag == 8
    assert bench.worker.positions == {(NAME, 0): 2, (NAME, 1): 3}


async def test_partitions_of_another_worker_are_revoked() -> None:
    bench = Bench()
    await bench.begin()
    bench.group.ours = frozenset({(NAME, 1)})
    await bench.begin()
    assert bench.handler.revoked == [{0}]
    await bench.feed(0, 1)
    assert bench.handler.got == []


async def test_a_stopped_worker_waits_for_no_server_and_handles_nothing_more() -> None:
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


async def test_run_gets_partitions_ends_when_asked_and_leaves_the_group() -> None:
    bench = Bench()
    running = asyncio.create_task(bench.worker.run())
    await asyncio.wait_for(bench.worker.ready(), 10)
    bench.worker.stop()
    await asyncio.wait_for(running, 10)
    assert bench.group.stopped


async def test_what_comes_first_is_done_before_partitions_are_asked_for() -> None:
    bench = Bench()
    begun, go_on = asyncio.Event(), asyncio.Event()
    trouble: list[Exception] = [UnavailableError("kafka", "away")]

    async def first() -> None:
        if trouble:
            raise trouble.pop()
        begun.set()
        await go_on.wait()

    running = asyncio.create_task(bench.worker.run(first))
    await asyncio.wait_for(begun.wait(), 10)
    assert bench.worker.positions == {}
    go_on.set()
    await asyncio.wait_for(bench.worker.ready(), 10)
    bench.worker.stop()
    await asyncio.wait_for(running, 10)


@pytest.mark.parametrize("failure", [None, IntegrityError("the tail ended")])
async def test_a_worker_may_end_before_it_asks_for_partitions(failure: Exception | None) -> None:
    bench = Bench()
    begun = asyncio.Event()

    async def first() -> None:
        begun.set()
        await asyncio.Event().wait()

    running = asyncio.create_task(bench.worker.run(first))
    await asyncio.wait_for(begun.wait(), 10)
    bench.worker.stop(failure)
    if failure is None:
        await asyncio.wait_for(running, 10)
    else:
        with pytest.raises(IntegrityError, match="the tail ended"):
            await asyncio.wait_for(running, 10)
    assert bench.worker.positions == {}


async def test_a_batch_under_way_is_finished_before_the_worker_stops() -> None:
    bench = Bench()
    go_on = asyncio.Event()
    stopped_before: list[bool] = []

    async def slow(batches: Sequence[Batch]) -> None:
        bench.handler.called.set()
        await go_on.wait()
        stopped_before.append(bench.group.stopped)

    bench.handler.handle = slow  # type: ignore[method-assign]
    running = asyncio.create_task(bench.worker.run())
    await bench.worker.ready()
    feeding = asyncio.create_task(bench.feed(0, 0))
    await bench.handler.called.wait()
    bench.worker.stop()
    asyncio.get_running_loop().call_later(0.05, go_on.set)
    await asyncio.wait_for(asyncio.gather(running, feeding), 10)
    assert stopped_before == [False]


async def test_an_unexpected_error_ends_the_worker_and_is_raised() -> None:
    bench = Bench()
    running = asyncio.create_task(bench.worker.run())
    await bench.worker.ready()
    bench.handler.trouble = [IntegrityError("not our bytes")]
    await bench.feed(0, 1)
    with pytest.raises(IntegrityError, match="not our bytes"):
        await asyncio.wait_for(running, 10)


async def test_a_crash_of_the_group_client_ends_the_worker_with_its_reason() -> None:
    bench = Bench()
    bench.group.crash(RuntimeError("the group is gone"))
    with pytest.raises(RuntimeError, match="the group is gone"):
        await asyncio.wait_for(bench.worker.run(), 10)


async def test_a_task_beside_is_repeated_when_a_server_is_away_and_else_ends_the_worker() -> None:
    bench = Bench()
    trouble: list[Exception] = [UnavailableError("redis", "away"), IntegrityError("broken")]

    async def beside() -> None:
        raise trouble.pop(0)

    running = asyncio.create_task(bench.worker.run())
    await bench.worker.ready()
    await bench.worker.background(beside)()
    with pytest.raises(IntegrityError, match="broken"):
        await asyncio.wait_for(running, 10)
    assert trouble == []


async def test_handlers_of_two_topics_run_side_by_side_and_each_in_turn() -> None:
    group = InMemoryMembership({(NAME, 0), (ALERTS.name, 0)})
    slow, quick = Handler(), Handler()
    go_on, at_once, most = asyncio.Event(), 0, 0

    async def one_at_a_time(batches: Sequence[Batch]) -> None:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        slow.called.set()
        await go_on.wait()
        at_once -= 1

    slow.handle = one_at_a_time  # type: ignore[method-assign]
    worker = Worker("two", group, {TRANSACTIONS: slow, ALERTS: quick})
    await group.start()
    await worker.ready()
    both = asyncio.gather(
        group.feed(batch([b"x"], partition=0)), group.feed(batch([b"x"], first=1, partition=0))
    )
    await slow.called.wait()
    await group.feed(batch([b"x"], topic=ALERTS))
    assert quick.got == [(0, [0])]
    go_on.set()
    await asyncio.wait_for(both, 10)
    assert most == 1


def test_our_errors_are_explained_by_their_message_and_others_with_their_type() -> None:
    assert explain(UnavailableError("redis", "away")) == "redis: away"
    assert explain(KeyError("x")) == "KeyError: 'x'"
