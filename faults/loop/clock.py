"""Time in a simulation: one that passes everywhere alike, and what each host thinks it is."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

from faults.loop.seeded_loop import Call, SeededLoop

BEGAN = 1_750_000_000_000_000
"""Microseconds UTC at which a simulation begins."""


def wall_clock(loop: SeededLoop, skew: float = 0.0) -> Callable[[], int]:
    """The clock of a host that is `skew` seconds ahead, in microseconds UTC."""
    return lambda: BEGAN + round((loop.skipped + loop.time() + skew) * 1e6)


class Signal:
    """What coroutines and blocked threads wait for; each `tell` wakes all who wait then."""

    def __init__(self, loop: SeededLoop) -> None:
        self._loop = loop
        self._waiting: list[Callable[[], bool]] = []

    def tell(self) -> None:
        waiting, self._waiting = self._waiting, []
        self._waiting += [wake for wake in waiting if not wake()]

    async def wait(self, seconds: float, until: Callable[[], bool] = lambda: True) -> None:
        """`until` is asked at each `tell`, and says whether to wake."""
        done = self._loop.create_future()

        def wake() -> bool:
            awake = done.done() or until()
            if awake:
                _finish(done)
            return awake

        self._waiting.append(wake)
        timer = self._loop.call_later(seconds, _finish, done)
        try:
            await done
        finally:
            timer.cancel()

    def block(self, seconds: float) -> None:
        self._loop.block(seconds, self._blocked)

    def _blocked(self, end: Call) -> None:
        self._waiting.append(partial(self._woken, end))

    def _woken(self, end: Call) -> bool:
        self._loop.hasten(end)
        return True


def _finish(one: "asyncio.Future[Any]") -> None:
    if not one.done():
        one.set_result(None)
