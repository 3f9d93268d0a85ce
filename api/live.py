"""Fan-out of the live stream: every decision that counts goes to every listening client."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from typing import TypeVar

from domain.events import Envelope, TransactionScored
from domain.times import SECOND
from eventlog.port import Position

_KEPT = 1_000
_QUEUED = 1_000
_RACING_US = 2 * SECOND

Live = tuple[Position, Envelope]
T = TypeVar("T")


class DecisionHub:
    """`publish` is called from any thread; clients live in one event loop. `ours` tells whether we
    answer for a partition: what lies in others, their owners stream.

    A client that does not keep up is disconnected, and resumes with its last event id.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, ours: Callable[[int], bool] = lambda _: True
    ) -> None:
        self._loop, self._ours = loop, ours
        self._kept: deque[Live] = deque(maxlen=_KEPT)
        self._queues: set[asyncio.Queue[Live | None]] = set()

    def publish(self, position: Position, envelope: Envelope) -> None:
        if not isinstance(envelope.data, TransactionScored) or not self._ours(position.partition):
            return
        if _runs_here(self._loop):
            # As it does most often: to wake it costs more than all the rest.
            self._spread((position, envelope))
        else:
            self._loop.call_soon_threadsafe(self._spread, (position, envelope))

    def close(self) -> None:
        """Ends every stream, so that the server can stop."""
        while self._queues:
            self._queues.pop().put_nowait(None)

    async def follow(self, last_event_id: str | None) -> AsyncIterator[Live | None]:
        """Live decisions from now on, or after `last_event_id` as far as it is still kept.

        None is a keep-alive after 15 seconds without a decision.
        """
        with self._queue() as queue:
            for live in self._after(last_event_id):
                yield live
            while True:
                try:
                    live_or_end = await asyncio.wait_for(queue.get(), timeout=15)
                except TimeoutError:
                    yield None
                    continue
                if live_or_end is None:
                    return
                yield live_or_end

    @contextmanager
    def _queue(self) -> Iterator[asyncio.Queue[Live | None]]:
        queue: asyncio.Queue[Live | None] = asyncio.Queue(maxsize=_QUEUED + 1)
        self._queues.add(queue)
        try:
            yield queue
        finally:
            self._queues.discard(queue)

    def _spread(self, live: Live) -> None:
        self._kept.append(live)
        for queue in list(self._queues):
            if queue.qsize() < _QUEUED:
                queue.put_nowait(live)
            else:
                self._queues.discard(queue)
                queue.put_nowait(None)

    def _after(self, last_event_id: str | None) -> list[Live]:
        kept = list(self._kept)
        ids = [event_id(each) for each in kept]
        if last_event_id in ids:
            return kept[ids.index(last_event_id) + 1 :]
        since = _known_time(last_event_id)
        return [each for each in kept if since is not None and each[1].known_time >= since]


def _runs_here(loop: asyncio.AbstractEventLoop) -> bool:
    try:
        return asyncio.get_running_loop() is loop
    except RuntimeError:
        return False


def event_id(live: Live) -> str:
    """Its place, and its known time: other processes have not seen it, and go on by that."""
    position, envelope = live
    return f"{position.partition}-{position.offset}-{envelope.known_time}"


def _known_time(last_event_id: str | None) -> int | None:
    """From when on what is not known to have been seen is sent; clocks differ, and appends race."""
    parts = (last_event_id or "").split("-")
    return int(parts[2]) - _RACING_US if len(parts) == 3 and parts[2].isdecimal() else None


async def merged(streams: Sequence[AsyncIterator[T]]) -> AsyncIterator[T]:
    """All of them as they come; ends with the first that ends."""
    queue: asyncio.Queue[T | None] = asyncio.Queue(1)

    async def pour(stream: AsyncIterator[T]) -> None:
        async with aclosing(stream) as each:  # type: ignore[type-var]
            async for item in each:
                await queue.put(item)
        await queue.put(None)

    pouring = [asyncio.create_task(pour(each)) for each in streams]
    try:
        while (item := await queue.get()) is not None:
            yield item
    finally:
        for task in pouring:
            task.cancel()
        await asyncio.gather(*pouring, return_exceptions=True)
