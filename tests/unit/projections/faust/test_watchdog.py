"""The watchdog: it ends a worker that has stalled, and no other."""

import asyncio
import threading
from collections.abc import Awaitable, Iterable, Mapping, Sequence

import pytest

from domain.errors import FencedError, UnavailableError
from eventlog.batch import Batch
from host.threads import SystemThreads
from projections.faust.membership import TopicPartition
from projections.faust.watchdog import STALLED, Watchdog
from tests.builders.workers.pieces import NAME, Bench

STALL, SLOW = 30.0, 120.0


class Starving(SystemThreads):
    """Threads that wait for a processor as long as a test says."""

    def __init__(self) -> None:
        self.waited = {1: 0.0, 2: 0.0}

    def starved(self) -> Mapping[int, float]:
        return dict(self.waited)


class Watched:
    """A worker that has been assigned, looked at whenever a test says, `STALL` less a bit apart."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.threads = Starving()
        self.watchdog = Watchdog(
            bench.worker, STALL, lambda _: None, self.threads, slow_seconds=SLOW
        )
        self.now = asyncio.get_running_loop().time() + 1.0
        self.watchdog.stall(self.now)

    def look(self, after: float = STALL - 1) -> str | None:
        self.now += after
        return self.watchdog.stall(self.now)


@pytest.fixture
async def watched() -> Watched:
    bench = Bench()
    await bench.begin()
    bench.worker.ends |= {(NAME, 0): 5, (NAME, 1): 5}
    return Watched(bench)


async def test_a_partition_that_stands_still_is_a_stall_even_while_others_move(
    watched: Watched,
) -> None:
    await watched.bench.feed(0, 1)
    assert watched.look() is None
    await watched.bench.feed(2, 3)
    stall = watched.look()
    assert stall is not None
    assert stall.startswith(f"{NAME}/1 stands at 0 for")
    assert stall.endswith("5 records wait")


async def test_a_partition_that_moves_now_and_then_is_no_stall(watched: Watched) -> None:
    for offset in range(4):
        await watched.bench.feed(offset, offset)
        await watched.bench.feed(offset, offset, partition=1)
        assert watched.look() is None


async def test_time_that_a_thread_waits_for_a_processor_does_not_count(watched: Watched) -> None:
    for _ in range(10):
        watched.threads.waited[2] += STALL - 1
        assert watched.look() is None
    assert watched.look() is None
    assert watched.look() is not None


async def test_a_partition_with_nothing_to_handle_is_no_stall(watched: Watched) -> None:
    watched.bench.worker.ends.clear()
    assert [watched.look() for _ in range(10)] == [None] * 10


async def test_a_partition_that_is_held_is_no_stall_until_it_is_assigned_again(
    watched: Watched,
) -> None:
    watched.bench.worker.progress.held |= {(NAME, 0), (NAME, 1)}
    assert [watched.look() for _ in range(10)] == [None] * 10
    await watched.bench.begin()
    assert watched.look() is None
    assert watched.look() is not None


async def test_a_fenced_partition_is_a_stall(watched: Watched) -> None:
    watched.bench.handler.trouble = [FencedError("another owns it")]
    await watched.bench.feed(0, 4)
    await watched.bench.feed(0, 4, partition=1)
    assert watched.look() is None
    stall = watched.look()
    assert stall is not None
    assert stall.startswith(f"{NAME}/0 stands at 0")


async def test_a_sign_that_work_goes_on_counts_for_all_partitions(watched: Watched) -> None:
    for _ in range(10):
        watched.bench.worker.progress.at = watched.now + 1
        assert watched.look() is None
    assert watched.look() is not None


async def test_a_partition_waits_while_the_handler_is_busy_with_others(watched: Watched) -> None:
    go_on = [asyncio.Event() for _ in range(6)]

    async def slow(batches: Sequence[Batch]) -> None:
        watched.bench.handler.called.set()
        await go_on[batches[0].first].wait()

    watched.bench.handler.handle = slow  # type: ignore[method-assign]
    for offset in range(6):
        watched.bench.handler.called.clear()
        feeding = asyncio.create_task(watched.bench.feed(offset, offset))
        await watched.bench.handler.called.wait()
        assert watched.look() is None
        go_on[offset].set()
        await feeding
    assert watched.look() is None
    assert watched.look() is not None


async def test_a_batch_that_is_never_done_is_a_stall(watched: Watched) -> None:
    async def hang(batches: Sequence[Batch]) -> None:
        assert batches[0].first == 0
        watched.bench.handler.called.set()
        await asyncio.Event().wait()

    watched.bench.handler.handle = hang  # type: ignore[method-assign]
    feeding = asyncio.create_task(watched.bench.feed(0, 1))
    await watched.bench.handler.called.wait()
    assert watched.look(SLOW - 1) is None
    stall = watched.look(2)
    assert stall == f"one batch of {NAME} has been handled for 121 s"
    feeding.cancel()


async def test_a_worker_that_never_gets_partitions_is_a_stall() -> None:
    bench = Bench()
    bench.group.start = lambda: asyncio.sleep(0)  # type: ignore[method-assign]
    watched = Watched(bench)
    assert watched.look(10 * SLOW) is None, "nothing has been asked for"
    running = asyncio.create_task(bench.worker.run())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert watched.look(SLOW) is None
    assert watched.look(1) == "it has had no partitions assigned for 121 s"
    await bench.begin()
    assert watched.look(10 * SLOW) is None
    bench.worker.stop()
    await running


async def test_an_assignment_that_waits_for_a_server_is_no_stall() -> None:
    bench = Bench()
    watched = Watched(bench)
    bench.handler.trouble_of_assign = [UnavailableError("redis", "away")] * 100_000
    running = asyncio.create_task(bench.worker.run())
    await bench.handler.assigning.wait()
    for _ in range(3):
        tried = bench.handler.assigning
        tried.clear()
        await tried.wait()
        # The worker has paused since; its clock is set to that of the looks.
        assert bench.worker.progress.at > 0
        bench.worker.progress.at = watched.now + 1
        assert watched.look(SLOW) is None
        bench.worker.progress.at = 0.0
    bench.worker.stop()
    await running


class Ending:
    """Stands in for the end of the process, from whatever thread."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.ended = threading.Event()

    def __call__(self, status: int) -> None:
        self.status = status
        self.ended.set()

    async def wait(self) -> None:
        assert await asyncio.to_thread(self.ended.wait, 10)


async def run(bench: Bench, ending: Ending, condition: Awaitable[object]) -> None:
    running = asyncio.create_task(Watchdog(bench.worker, 0.2, ending).run())
    try:
        await asyncio.wait_for(condition, 10)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_a_stalled_worker_is_ended_with_its_status_by_the_ends_of_the_log() -> None:
    bench, ending = Bench(), Ending()
    await bench.begin()
    bench.group.log_ends = {(NAME, 1): 7}
    await run(bench, ending, ending.wait())
    assert ending.status == STALLED
    assert bench.worker.lag == 7


async def test_the_last_known_ends_stay_where_the_log_does_not_answer() -> None:
    bench, ending = Bench(), Ending()
    await bench.begin()
    bench.worker.ends[(NAME, 0)] = 3

    async def refuse(partitions: Iterable[TopicPartition]) -> Mapping[TopicPartition, int]:
        raise ConnectionError(f"no broker answers about {partitions}")

    bench.group.ends = refuse  # type: ignore[method-assign]
    await run(bench, ending, ending.wait())
    assert ending.status == STALLED


async def test_an_event_loop_that_hangs_is_noticed_from_outside() -> None:
    bench, ending = Bench(), Ending()

    async def hang() -> None:
        await asyncio.sleep(0)
        assert ending.ended.wait(10)

    await run(bench, ending, hang())
    assert ending.status == STALLED
