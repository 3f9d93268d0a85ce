"""Owns a producer's polling thread, and hands outcomes over to the event loops that await them."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from typing import Any

from domain.errors import RetraceError
from eventlog.port import Position

_POLL_SECONDS = 0.1
Outcome = Position | RetraceError
Settled = tuple["asyncio.Future[Position]", Outcome]


class AckLoop:
    """Polls `producer` until it is stopped and everything it held has an outcome."""

    def __init__(self, producer: Any) -> None:
        self.producer = producer
        self._settled: deque[Settled] = deque()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="kafka-acks", daemon=True)
        self._thread.start()

    def settle(self, future: asyncio.Future[Position], outcome: Outcome) -> None:
        """From a delivery callback: one hand-over serves all that were acknowledged together."""
        self._settled.append((future, outcome))

    def flush(self, timeout: float) -> int:
        """Returns how many records are still without an outcome."""
        left = int(self.producer.flush(timeout))
        self._hand_over()
        return left

    def stop(self) -> None:
        """What is still queued or in flight gets a failure; returns at once."""
        self._stopping.set()

    def join(self, timeout: float) -> None:
        self._thread.join(timeout)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self.producer.poll(_POLL_SECONDS)
            self._hand_over()
        self.producer.purge()
        self.flush(1.0)

    def _hand_over(self) -> None:
        loops: dict[asyncio.AbstractEventLoop, list[Settled]] = {}
        while self._settled:
            try:
                future, outcome = self._settled.popleft()
            except IndexError:  # another thread has just taken it
                break
            loops.setdefault(future.get_loop(), []).append((future, outcome))
        for loop, settled in loops.items():
            # A closed loop has nobody left who waits.
            if not loop.is_closed():
                loop.call_soon_threadsafe(_resolve, settled)


def _resolve(settled: list[Settled]) -> None:
    for future, outcome in settled:
        if future.done():
            continue
        if isinstance(outcome, RetraceError):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)
