"""Acknowledgements: a producer's polling thread passes them to the event loops that await."""

import asyncio
import threading
from collections import deque
from typing import Any

from domain.errors import RetraceError
from eventlog.port import Position

_POLL_SECONDS = 0.1
_LAST_SECONDS = 1.0
Outcome = Position | RetraceError
Settled = tuple["asyncio.Future[Position]", Outcome]


class HandOver:
    """Outcomes of appends, passed from delivery callbacks in any thread to the awaiting loops."""

    def __init__(self) -> None:
        self._settled: deque[Settled] = deque()

    def settle(self, future: asyncio.Future[Position], outcome: Outcome) -> None:
        self._settled.append((future, outcome))

    def deliver(self) -> None:
        """One wake-up of a loop serves all that were acknowledged together."""
        loops: dict[asyncio.AbstractEventLoop, list[Settled]] = {}
        while self._settled:
            try:
                future, outcome = self._settled.popleft()
            except IndexError:  # another thread took it
                break
            loops.setdefault(future.get_loop(), []).append((future, outcome))
        for loop, settled in loops.items():
            # Nobody waits in a closed loop.
            if not loop.is_closed():
                loop.call_soon_threadsafe(_resolve, settled)


class AckLoop:
    """Polls `producer` in a thread of its own until it is stopped."""

    def __init__(self, producer: Any, outcomes: HandOver) -> None:
        self.producer = producer
        self._outcomes = outcomes
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="kafka-acks", daemon=True)
        self._thread.start()

    def flush(self, timeout: float) -> int:
        """Returns how many records are still without an outcome."""
        left = int(self.producer.flush(timeout))
        self._outcomes.deliver()
        return left

    def stop(self) -> None:
        """Returns at once; what is still queued or in flight gets a failure."""
        self._stopping.set()

    def join(self, timeout: float) -> None:
        self._thread.join(timeout)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self.producer.poll(_POLL_SECONDS)
            self._outcomes.deliver()
        self.producer.purge()
        self.flush(_LAST_SECONDS)


def _resolve(settled: list[Settled]) -> None:
    for future, outcome in settled:
        if future.done():
            continue
        if isinstance(outcome, RetraceError):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)
