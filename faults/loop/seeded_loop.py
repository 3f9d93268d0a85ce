"""Event loop with virtual time, which chooses by a seed among the processes that can go on.

Within one process callbacks keep their order, as asyncio promises; between processes, servers and
networks any order is possible, and the seed decides. Time passes only when nothing can run. What a
process gives to an executor runs as a greenlet of the loop's own thread, which may wait for virtual
time: one thread runs everything, so a seed gives the same run again.
"""

import asyncio
import contextvars
from collections.abc import Callable
from contextlib import suppress
from heapq import heappop, heappush
from random import Random
from typing import Any

from greenlet import GreenletExit, getcurrent, greenlet

from faults.loop.process import RUNNING, Process

_copy_context = contextvars.copy_context

_MANY = 1_000  # tasks or threads, before those that are done are let go
_LONGEST_START = 0.002
"""Seconds until a thread of an executor runs what it was given."""


class StuckError(Exception):
    """Nothing can run any more, now or later."""


class Call:
    """What asyncio's handles are to those who hold them. `waits` for its time to come."""

    __slots__ = ("args", "callback", "cancelled", "context", "waits")

    def __init__(
        self, callback: Callable[..., Any], args: tuple[Any, ...], context: contextvars.Context
    ) -> None:
        self.callback = callback
        self.args = args
        self.context = context
        self.cancelled = self.waits = False

    def cancel(self) -> None:
        self.cancelled, self.waits = True, False


class SeededLoop(asyncio.BaseEventLoop):
    """`chance` decides; `steps` counts the callbacks that were run.

    `trace` is a checksum of who ran when. `skipped` are seconds of which calendars know and in
    which nothing happened, as after years.
    """

    # What asyncio's own loops keep there (3.11 to 3.13).
    _stopping: bool

    def __init__(self, chance: Random) -> None:
        super().__init__()
        self.chance = chance
        self.steps = 0
        self.skipped = 0.0
        self.trace = 0
        self._now = 0.0
        self._hub = getcurrent()
        # Servers and networks; it cannot be killed.
        self._nobody = Process("", "")
        self._nobody.number = 0
        # Who has something to run, and is not paused.
        self._able: list[Process] = []
        self._timers: list[tuple[float, int, Call]] = []
        self._timed = 0
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

    def block(self, seconds: float, told: Callable[[Call], None] = lambda _: None) -> None:
        """Blocks the calling thread; elsewhere it returns at once.

        `told` is given the call that ends it, which may be hastened.
        """
        if self.is_blocking():
            told(self.call_at(self._now + seconds, getcurrent().switch))
            self._hub.switch()

    def hasten(self, call: Call) -> None:
        """Runs now what waits for its time."""
        if call.waits:
            call.waits = False
            self._into_lane(call)

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
        if len(self._threads) > _MANY:
            self._threads = [each for each in self._threads if not each.dead]
        thread = greenlet(job, self._hub)
        thread.gr_context = contextvars.copy_context()
        self._threads.append(thread)
        self.call_later(self.chance.uniform(0, _LONGEST_START), thread.switch)

    def call_soon(  # type: ignore[override]
        self, callback: Any, *args: Any, context: Any = None
    ) -> Any:
        if context is None:
            context = _copy_context()
        call = Call(callback, args, context)
        self._into_lane(call)
        return call

    call_soon_threadsafe = call_soon  # type: ignore[assignment]

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Any, *args: Any, context: Any = None
    ) -> Any:
        return self.call_at(self._now + delay, callback, *args, context=context)

    def call_at(  # type: ignore[override]
        self, when: float, callback: Any, *args: Any, context: Any = None
    ) -> Any:
        if context is None:
            context = _copy_context()
        call = Call(callback, args, context)
        if when <= self._now:
            self._into_lane(call)
        else:
            self._timed += 1
            call.waits = True
            heappush(self._timers, (when, self._timed, call))
        return call

    def kill(self, process: Process) -> None:
        process.alive = False
        process.lane.clear()
        self._leave_out(process)

    def pause(self, process: Process) -> None:
        process.paused = True
        self._leave_out(process)

    def resume(self, process: Process) -> None:
        if process.paused:
            process.paused = False
            if process.lane:
                self._able.append(process)

    def _leave_out(self, process: Process) -> None:
        if process in self._able:
            self._able.remove(process)

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
        for process in self._able:
            process.lane.clear()
        self._able.clear()
        self._timers.clear()
        self.close()

    def _run_once(self) -> None:
        """Runs until it is stopped."""
        able, random = self._able, self.chance.random
        while not self._stopping:
            if not able:
                self._pass_time()
                continue
            at = int(random() * len(able)) if len(able) > 1 else 0
            process = able[at]
            lane = process.lane
            call = lane.popleft()
            if not lane:
                able[at] = able[-1]
                able.pop()
            if call.cancelled:
                continue
            self.steps += 1
            self.trace = (self.trace * 1_000_003 ^ process.number) & 0xFFFF_FFFF
            try:
                call.context.run(call.callback, *call.args)
            except (SystemExit, KeyboardInterrupt):
                raise
            except BaseException:
                """What a callback raises ends nothing, as in asyncio; tasks keep their own."""

    def _into_lane(self, call: Call) -> None:
        process = call.context.get(RUNNING) or self._nobody
        if process.alive:
            lane = process.lane
            if not lane and not process.paused:
                self._able.append(process)
            lane.append(call)

    def _pass_time(self) -> None:
        """To the next moment at which something is due, all of which is then ready."""
        timers = self._timers
        while timers and not timers[0][2].waits:
            heappop(timers)
        if not timers:
            raise StuckError("nothing waits for time to pass")
        now = self._now = timers[0][0]
        # The same in every process, unlike that of a text.
        self.trace = (self.trace * 1_000_003 ^ hash(now)) & 0xFFFF_FFFF
        while timers and timers[0][0] <= now:
            self.hasten(heappop(timers)[2])

    def _process_events(self, _events: Any) -> None:
        """There are none: no socket is open."""

    def _write_to_self(self) -> None:
        """Nobody waits in a selector."""
