"""Threads beside an event loop, and time as they see it."""

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
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

    def starved(self) -> Mapping[int, float]:
        """Per thread of this process the seconds that it has waited for a processor so far.

        Empty where the system does not tell.
        """
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

    def starved(self) -> Mapping[int, float]:
        """By the second figure of /proc/PID/task/TID/schedstat: nanoseconds spent runnable, and not
        running (Linux, Documentation/scheduler/sched-stats.rst)."""
        found = {}
        for path in Path("/proc/self/task").glob("*/schedstat"):
            with suppress(OSError):  # of a thread that has just ended
                found[int(path.parent.name)] = int(path.read_text().split()[1]) / 1e9
        return found


SYSTEM: Threads = SystemThreads()
