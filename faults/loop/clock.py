"""Time in a simulation: one that passes everywhere alike, and what each host thinks it is."""

import asyncio
from collections.abc import Callable
from typing import Any

from faults.loop.seeded_loop import SeededLoop

BEGAN = 1_750_000_000_000_000
"""Microseconds UTC at which a simulation begins."""


def wall_clock(loop: SeededLoop, skew: float = 0.0) -> Callable[[], int]:
    """The clock of a host that is `skew` seconds ahead, in microseconds UTC."""
    return lambda: BEGAN + round((loop.skipped + loop.time() + skew) * 1e6)


class Signal:
    """What coroutines and blocked threads wait for; each `tell` wakes all who wait then."""

    def __init__(self, loop: SeededLoop) -> None:
        self._loop = loop
        self._waiting: list[asyncio.Future[Any]] = []

    def tell(self) -> None:
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            _finish(one)

    async def wait(self, seconds: float) -> None:
        await self._waiter(seconds)

    def block(self, seconds: float) -> None:
        self._loop.block_until(self._waiter(seconds))

    def _waiter(self, seconds: float) -> "asyncio.Future[Any]":
        one = self._loop.create_future()
        self._waiting.append(one)
        timer = self._loop.call_later(seconds, _finish, one)
        one.add_done_callback(lambda _: timer.cancel())
        return one


def _finish(one: "asyncio.Future[Any]") -> None:
    if not one.done():
        one.set_result(None)
