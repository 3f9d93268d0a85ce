"""One call of a server serves all who asked for it before it was sent."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class SharedCall(Generic[T]):
    """Makes `call` for its callers, one at a time, in one event loop.

    What a caller gets was asked for after it came. The call's failure is that of all who share it.
    """

    def __init__(self, call: Callable[[], Awaitable[T]]) -> None:
        self._call = call
        self._running: asyncio.Task[T] | None = None
        self._next: asyncio.Task[T] | None = None

    async def __call__(self) -> T:
        if self._running is None or self._running.done():
            self._running = _task(self._made())
            return await asyncio.shield(self._running)
        # The running call may be older than our caller: wait for the next one.
        if self._next is None or self._next.done():
            self._next = _task(self._follow(self._running))
        return await asyncio.shield(self._next)

    async def _made(self) -> T:
        return await self._call()

    async def _follow(self, running: asyncio.Task[T]) -> T:
        await asyncio.wait([running])
        # This call is under way from here on: later callers need another one.
        self._running, self._next = asyncio.current_task(), None
        return await self._call()


def _task(call: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    task = asyncio.ensure_future(call)
    # Where all callers have given up, nobody asks how it ended.
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
    return task
