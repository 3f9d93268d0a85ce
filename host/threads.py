"""Threads beside an event loop, and time as they see it."""

import threading
import time
from collections.abc import Callable
from typing import Protocol


class Threads(Protocol):
    """Coroutines ask their loop for the time instead."""

    def start(self, job: Callable[[], None], name: str) -> Callable[[float], None]:
        """Runs `job` beside the caller; returns what waits so many seconds for its end."""
        ...

    def monotonic(self) -> float:
        """Seconds, from no particular moment."""
        ...

    def sleep(self, seconds: float) -> None:
        """Blocks the calling thread."""
        ...


class SystemThreads:
    """Implements Threads with daemon threads: none of them keeps a process alive."""

    def start(self, job: Callable[[], None], name: str) -> Callable[[float], None]:
        thread = threading.Thread(target=job, name=name, daemon=True)
        thread.start()
        return thread.join

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


SYSTEM: Threads = SystemThreads()
