"""Waiting for an offset: a thread reports progress, coroutines of any event loop await it."""

import asyncio
import heapq
import threading
from collections.abc import Callable, Mapping, Sequence
from itertools import count

_SIGN_SECONDS = 2.0


class Waiters:
    """Per partition, the offset after the last one read, and who waits for which offset."""

    def __init__(self, ends: Sequence[int]) -> None:
        self._ends = list(ends)
        self._waiting: list[list[tuple[int, int, asyncio.Future[None]]]] = [[] for _ in ends]
        self._failure: Exception | None = None
        self._lock = threading.Lock()
        self._order = count()

    def ends(self) -> list[int]:
        return list(self._ends)

    def end(self, partition: int) -> int:
        return self._ends[partition]

    async def passed(self, partition: int, offset: int) -> None:
        """Returns once `offset` was read; raises what `fail` was given if the reader ends first."""
        if self._ends[partition] > offset:
            return
        future = asyncio.get_running_loop().create_future()
        with self._lock:
            if self._ends[partition] > offset:
                return
            if self._failure is not None:
                raise self._failure
            heapq.heappush(self._waiting[partition], (offset, next(self._order), future))
        await future

    async def caught_up(self, upto: Mapping[int, int], alive: Callable[[], None] | None) -> None:
        """As `passed`, of all of these; `alive` is called every few seconds in which more was
        read."""
        waiting = asyncio.gather(*(self.passed(*each) for each in upto.items()))
        try:
            ends = self.ends()
            while not (await asyncio.wait({waiting}, timeout=_SIGN_SECONDS))[0]:
                if alive and self._ends != ends:
                    ends = self.ends()
                    alive()
            await waiting
        finally:
            waiting.cancel()

    def advance(self, ends: Mapping[int, int]) -> None:
        ready: list[asyncio.Future[None]] = []
        with self._lock:
            for partition, end in ends.items():
                self._ends[partition] = max(self._ends[partition], end)
                waiting = self._waiting[partition]
                while waiting and waiting[0][0] < self._ends[partition]:
                    ready.append(heapq.heappop(waiting)[2])
        for future in ready:
            future.get_loop().call_soon_threadsafe(_resolve, future, None)

    def fail(self, error: Exception) -> None:
        """The reader has ended: raises `error` in all who wait, now and later."""
        with self._lock:
            self._failure = error
            left = [future for waiting in self._waiting for _, _, future in waiting]
            self._waiting = [[] for _ in self._ends]
        for future in left:
            future.get_loop().call_soon_threadsafe(_resolve, future, error)


def _resolve(future: asyncio.Future[None], error: Exception | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)
