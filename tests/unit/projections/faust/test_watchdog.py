"""The watchdog: it ends a worker that has lag and makes no progress, and no other."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Iterable, Mapping
from typing import cast

from eventlog.topics import TRANSACTIONS
from projections.faust.membership import TopicPartition
from projections.faust.progress import Progress
from projections.faust.watchdog import STALLED, Watchdog
from projections.faust.worker import Worker

NAME = TRANSACTIONS.name
LIMIT = 0.2


class Consumer:
    """Tells the ends of the log; `asked` is set when it has been asked twice since."""

    def __init__(self, end: int | None) -> None:
        self.end, self.times, self.asked = end, 0, asyncio.Event()

    async def ends(self, tps: Iterable[TopicPartition]) -> Mapping[TopicPartition, int]:
        self.times += 1
        if self.times > 1:
            self.asked.set()
        if self.end is None:
            raise ConnectionError("no broker answers")
        return dict.fromkeys(tps, self.end)


class Stuck:
    """The part of a worker that the watchdog sees; it handles nothing by itself."""

    name = "stuck"

    def __init__(self, end: int | None, known_end: int = 0) -> None:
        self.membership = Consumer(end)
        self.partitions = {(NAME, 0)}
        self.ends: dict[tuple[str, int], int] = {(NAME, 0): known_end}
        self.progress = Progress()
        self.handled = 0

    @property
    def lag(self) -> int:
        return self.ends[(NAME, 0)] - self.handled


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


async def watched(worker: Stuck, ending: Ending, condition: Awaitable[object]) -> None:
    watchdog = Watchdog(cast(Worker, worker), LIMIT, ending)
    running = asyncio.create_task(watchdog.run())
    try:
        await asyncio.wait_for(condition, 10)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_a_worker_with_lag_and_no_progress_is_ended_with_its_status() -> None:
    worker, ending = Stuck(end=5), Ending()
    await watched(worker, ending, ending.wait())
    assert ending.status == STALLED
    assert worker.lag == 5


async def test_a_worker_without_lag_counts_as_progressing() -> None:
    worker, ending = Stuck(end=0), Ending()
    await watched(worker, ending, asyncio.sleep(3 * LIMIT))
    assert ending.status is None


async def test_the_last_known_ends_stay_where_the_log_does_not_answer() -> None:
    worker, ending = Stuck(end=None, known_end=3), Ending()
    await watched(worker, ending, ending.wait())
    assert ending.status == STALLED


async def test_a_worker_that_is_long_busy_with_one_batch_is_not_ended() -> None:
    worker, ending = Stuck(end=5), Ending()
    worker.progress.at = time.monotonic() + 3600
    await watched(worker, ending, asyncio.sleep(3 * LIMIT))
    assert ending.status is None


async def test_the_ends_are_asked_for_again_and_again() -> None:
    worker, ending = Stuck(end=0), Ending()
    await watched(worker, ending, worker.membership.asked.wait())
    assert worker.ends == {(NAME, 0): 0}


async def test_an_event_loop_that_hangs_is_noticed_from_outside() -> None:
    worker, ending = Stuck(end=0), Ending()

    async def hang() -> None:
        await worker.membership.asked.wait()
        assert ending.ended.wait(10)

    await watched(worker, ending, hang())
    assert ending.status == STALLED
