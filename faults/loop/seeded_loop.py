"""Event loop with virtual time, which chooses by a seed among the processes that can go on.

Within one process callbacks keep their order, as asyncio promises; between processes, servers and
networks any order is possible, and the seed decides. Time passes only when nothing can run. What a
process gives to an executor runs as a greenlet of the loop's own thread, which may wait for virtual
time: one thread runs everything, so a seed gives the same run again.
"""

import asyncio
import contextvars
import gc
import heapq
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import Any
from zlib import crc32

from greenlet import GreenletExit, getcurrent, greenlet

from faults.loop.process import RUNNING, Process

_MANY = 1_000  # tasks, before those that are done are let go
_LONGEST_START = 0.002
"""Seconds until a thread of an executor runs what it was given."""


class StuckError(Exception):
    """Nothing can run any more, now or later."""


class SeededLoop(asyncio.BaseEventLoop):
    """`chance` decides; `steps` counts the callbacks that were run.

    `trace` is a checksum of who ran when. `skipped` are seconds of which calendars know and in
    which nothing happened, as after years.
    """

    # What asyncio's own loops keep there (3.11 to 3.13).
    _ready: deque[Any]
    _scheduled: list[Any]
    _stopping: bool

    def __init__(self, chance: Random) -> None:
        super().__init__()
        self.chance = chance
        self.steps = 0
        self.skipped = 0.0
        self.trace = 0
        self._now = 0.0
        self._hub = getcurrent()
        self._lanes: dict[Process | None, deque[Any]] = {}
        # Held while anything runs: what the collector frees of a killed process would clean up, at
        # a moment that no seed knows.
        self._tasks: list[asyncio.Task[Any]] = []
        self._threads: list[greenlet] = []
        # What a killed process leaves unawaited is nobody's error.
        self.set_exception_handler(lambda _loop, _context: None)

    def time(self) -> float:
        return self._now

    def is_blocking(self) -> bool:
        """True where the caller runs as in a thread, and so may `block`."""
        return getcurrent() is not self._hub

    def block(self, seconds: float) -> None:
        """Blocks the calling thread; elsewhere it returns at once."""
        if self.is_blocking():
            self.call_later(seconds, getcurrent().switch)
            self._hub.switch()

    def block_until(self, done: "asyncio.Future[Any]") -> None:
        """Blocks the calling thread until `done` is done."""
        mine = getcurrent()
        while not done.done():
            done.add_done_callback(lambda _: mine.switch())
            self._hub.switch()

    def create_task(self, coro: Any, **options: Any) -> Any:
        if len(self._tasks) > _MANY:
            self._tasks = [each for each in self._tasks if not each.done()]
        task = super().create_task(coro, **options)
        self._tasks.append(task)
        return task

    def run_in_executor(  # type: ignore[override]
        self,
        executor: Any,  # noqa: ARG002
        func: Callable[..., Any],
        *args: Any,
    ) -> Any:
        """Any executor: how many threads there are plays no part."""
        done: asyncio.Future[Any] = self.create_future()

        def job() -> None:
            try:
                result = func(*args)
            except Exception as error:
                if not done.done():
                    done.set_exception(error)
            else:
                if not done.done():
                    done.set_result(result)

        self.start_thread(job)
        return done

    def start_thread(self, job: Callable[[], None]) -> None:
        thread = greenlet(job, self._hub)
        thread.gr_context = contextvars.copy_context()
        self._threads = [each for each in self._threads if not each.dead]
        self._threads.append(thread)
        self.call_later(self.chance.uniform(0, _LONGEST_START), thread.switch)

    def call_soon_threadsafe(  # type: ignore[override]
        self, callback: Any, *args: Any, context: Any = None
    ) -> Any:
        return self.call_soon(callback, *args, context=context)

    def kill(self, process: Process) -> None:
        process.alive = False
        self._lanes.pop(process, None)

    def bury(self) -> None:
        """Frees what is left of everything; call it once all processes are dead.

        The garbage collector does not look into threads that stand still: they are ended here.
        """
        for thread in self._threads:
            if not thread.dead:
                with suppress(BaseException):
                    thread.throw(GreenletExit)
        for task in self._tasks:
            task._log_destroy_pending = False  # type: ignore[attr-defined]
            with suppress(BaseException):
                task.get_coro().close()
        self._tasks.clear()
        self._threads.clear()
        self._lanes.clear()
        self._scheduled.clear()
        gc.collect()
        self.close()

    def _run_once(self) -> None:
        self._sort()
        able = [
            process
            for process, lane in self._lanes.items()
            if lane and (process is None or not process.paused)
        ]
        if not able:
            if self._stopping:
                return
            self._pass_time()
            return
        process = able[0] if len(able) == 1 else able[self.chance.randrange(len(able))]
        lane = self._lanes[process]
        handle = lane.popleft()
        if not lane:
            del self._lanes[process]
        if not handle._cancelled:
            self.steps += 1
            self.trace = crc32(f"{process and process.name} {self._now}".encode(), self.trace)
            handle._run()

    def _sort(self) -> None:
        """Moves what has become ready into the lane of its process."""
        while self._ready:
            self._into_lane(self._ready.popleft())
        while self._scheduled and self._scheduled[0]._when <= self._now:
            handle = heapq.heappop(self._scheduled)
            handle._scheduled = False
            self._into_lane(handle)

    def _into_lane(self, handle: Any) -> None:
        process = handle._context.get(RUNNING)
        if not handle._cancelled and (process is None or process.alive):
            self._lanes.setdefault(process, deque()).append(handle)

    def _pass_time(self) -> None:
        while self._scheduled and self._scheduled[0]._cancelled:
            heapq.heappop(self._scheduled)._scheduled = False
        if not self._scheduled:
            raise StuckError("nothing waits for time to pass")
        self._now = max(self._now, self._scheduled[0]._when)

    def _process_events(self, _events: Any) -> None:
        """There are none: no socket is open."""

    def _write_to_self(self) -> None:
        """Nobody waits in a selector."""
