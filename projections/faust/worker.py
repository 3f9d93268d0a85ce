"""Worker: binds batch handlers to Faust, with assignment, order, retries and gaps.

A handler gets each partition's records in offset order, once per assignment, from the position
that it named. Calls to one handler are made one after the other; handlers run side by side.
"""

import asyncio
import logging
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any, Protocol, TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_exponential

from domain.errors import FencedError, RetraceError, UnavailableError
from eventlog.batch import Batch
from eventlog.topics import Topic
from projections.faust.transport import BatchApp, BatchSchema

logger = logging.getLogger(__name__)

T = TypeVar("T")
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 5.0
_STOP_SECONDS = 10


class BatchHandler(Protocol):
    """Folds the batches of one topic."""

    async def assign(self, partitions: set[int]) -> Mapping[int, int]:
        """Takes these partitions over, all that this worker has from now on.

        Returns the offset at which to begin reading each. Raises UnavailableError.
        """
        ...

    async def handle(self, batch: Batch) -> None:
        """Folds and keeps the batch. Raises UnavailableError (hand it in again) or FencedError."""
        ...

    async def revoke(self, partitions: set[int]) -> None:
        """Drops partitions that another worker owns from now on."""
        ...


class Worker:
    """Binds handlers to a Faust app, and runs it until SIGTERM, SIGINT or a failure."""

    def __init__(
        self,
        name: str,
        app: BatchApp,
        handlers: Mapping[Topic, BatchHandler],
        first_pause: float = _FIRST_PAUSE,
    ) -> None:
        self.name, self.app, self._first_pause = name, app, first_pause
        self._handlers = {
            app.topic_prefix + topic.name: handler for topic, handler in handlers.items()
        }
        self._next: dict[tuple[str, int], int] = {}
        self._sought: dict[tuple[str, int], tuple[int, int]] = {}
        self._turns = {topic: asyncio.Lock() for topic in self._handlers}
        self._fenced: set[tuple[str, int]] = set()
        self._ready = asyncio.Event()
        self._done = asyncio.Event()
        self._failure: BaseException | None = None
        self.ends: dict[tuple[str, int], int] = {}
        self.progressed = time.monotonic()
        app.starts = self._assign
        for topic in self._handlers:
            self._add_agent(topic)

    @property
    def lag(self) -> int:
        """Records known to be in the log and not handled yet, in the partitions we have."""
        return sum(max(0, self.ends.get(tp, 0) - at) for tp, at in self._next.items())

    @property
    def partitions(self) -> set[tuple[str, int]]:
        return set(self._next)

    async def ready(self) -> None:
        """Returns once partitions have been assigned for the first time."""
        await self._ready.wait()

    async def run(self, first: Callable[[], Awaitable[None]] | None = None) -> None:
        """Raises what made the worker stop, unless it was asked to.

        `first` runs before partitions are asked for, and again while a server is away.
        """
        loop = asyncio.get_running_loop()
        for each in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(each, self._done.set)
        crashed = asyncio.create_task(_crash_of(self.app))
        asked = asyncio.create_task(self._done.wait())
        try:
            if first is not None:
                before = asyncio.create_task(self.retry(first))
                await asyncio.wait({asked, before}, return_when=asyncio.FIRST_COMPLETED)
                if not before.cancel():
                    before.result()
            if not self._done.is_set():
                await self.app.start()
                logger.info("%s: started, reads %s", self.name, ", ".join(self._handlers))
            await asyncio.wait({asked, crashed}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            asked.cancel()
            crashed.cancel()
            if self.app.crashed and not self._done.is_set():
                self._failure = self._failure or self.app.crash_reason
            self._done.set()
            # The batch being handled is finished, so that a clean stop repeats nothing.
            async with self._all_turns():
                pass
            try:
                await asyncio.wait_for(self.app.stop(), _STOP_SECONDS)
            except TimeoutError:
                # Nothing depends on it: positions are stored with the state.
                logger.warning("%s: Faust did not stop within %d s", self.name, _STOP_SECONDS)
        if self._failure is not None:
            raise self._failure
        logger.info("%s: stopped", self.name)

    def stop(self, failure: BaseException | None = None) -> None:
        self._failure = self._failure or failure
        self._done.set()

    def _add_agent(self, topic: str) -> None:
        channel = self.app.topic(topic, schema=BatchSchema())

        async def consume(stream: Any) -> None:
            async for batch in stream:
                await self._consume(batch)

        self.app.agent(channel, name=f"{self.name}.{topic}", concurrency=1)(consume)

    async def _consume(self, batch: Batch) -> None:
        async with self._turns[batch.topic]:
            if self._done.is_set() or (batch.topic, batch.partition) in self._fenced:
                return
            try:
                await self._in_order(batch)
            except FencedError as error:
                # The next assignment decides who owns it; until then it counts as lag.
                logger.warning("%s: %s", self.name, error)
                self._fenced.add((batch.topic, batch.partition))
            except Exception as error:
                self.stop(error)

    async def _in_order(self, batch: Batch) -> None:
        tp = (batch.topic, batch.partition)
        expected = self._next.get(tp)
        self.ends[tp] = max(batch.end, self.ends.get(tp, 0))
        if expected is None or batch.next <= expected:
            return
        if batch.first > expected and self._sought.get(tp) != (expected, batch.first):
            # Faust has lost a fetch between two assignments; a second jump is a hole in the log.
            logger.warning("%s: %s/%d jumped from %d to %d", self.name, *tp, expected, batch.first)
            self._sought[tp] = (expected, batch.first)
            await self.app.consumer.seek(_tp(self.app, tp), expected)
            return
        handler = self._handlers[batch.topic]
        await self.retry(partial(handler.handle, batch.since(expected)))
        self._next[tp] = batch.next
        self.progressed = time.monotonic()

    async def _assign(self, assigned: set[tuple[str, int]]) -> Mapping[tuple[str, int], int]:
        async with self._all_turns():
            starts: dict[tuple[str, int], int] = {}
            for topic, handler in self._handlers.items():
                mine = {partition for name, partition in assigned if name == topic}
                gone = {partition for name, partition in self._next if name == topic} - mine
                if gone:
                    await handler.revoke(gone)
                found = await self.retry(partial(handler.assign, mine))
                starts.update({(topic, partition): at for partition, at in found.items()})
            self._next = dict(starts)
            self._sought.clear()
            self._fenced.clear()
            self._ready.set()
            self.progressed = time.monotonic()
            logger.info("%s: has %d partitions", self.name, len(assigned))
            return starts

    def background(self, task: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
        """Runs a task beside the batches: again after UnavailableError; other errors stop us."""

        async def run() -> None:
            try:
                await self.retry(task)
            except FencedError as error:
                logger.warning("%s: %s", self.name, error)
                self.stop(error)
            except Exception as error:
                self.stop(error)

        return run

    @asynccontextmanager
    async def _all_turns(self) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for turn in self._turns.values():
                await stack.enter_async_context(turn)
            yield

    async def retry(self, step: Callable[[], Awaitable[T]]) -> T:
        """Repeats `step` while a server that it needs is away."""
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(UnavailableError),
            wait=wait_exponential(self._first_pause, max=_LONGEST_PAUSE),
            before_sleep=self._before_pause,
        )
        return await retrying(step)

    def _before_pause(self, state: RetryCallState) -> None:
        assert state.outcome is not None
        error = state.outcome.exception()
        if self._done.is_set():
            raise FencedError(f"stopped while waiting: {error}") from error
        logger.warning("%s: waits %.1f s: %s", self.name, state.upcoming_sleep, error)
        self.progressed = time.monotonic()


async def _crash_of(app: BatchApp) -> None:
    while not app.crashed:  # noqa: ASYNC110 (Faust has no public event for it)
        await asyncio.sleep(0.2)


def _tp(app: BatchApp, tp: tuple[str, int]) -> Any:
    return app.consumer._new_topicpartition(*tp)


def explain(error: BaseException) -> str:
    """One line: the message of a RetraceError; type and message of any other error."""
    return str(error) if isinstance(error, RetraceError) else f"{type(error).__name__}: {error}"
