"""Threads of a simulated process: greenlets of the one thread that the loop runs in."""

from collections.abc import Callable, Mapping

from faults.loop.seeded_loop import SeededLoop


class LoopThreads:
    """Implements host.threads.Threads."""

    def __init__(self, loop: SeededLoop) -> None:
        self._loop = loop

    def start(self, job: Callable[[], None], name: str) -> Callable[[float], None]:  # noqa: ARG002
        """Processes here end by being killed: nobody waits for the end of a thread."""
        self._loop.start_thread(job)
        return lambda _seconds: None

    def monotonic(self) -> float:
        return self._loop.time()

    def sleep(self, seconds: float) -> None:
        self._loop.block(seconds)

    def starved(self) -> Mapping[int, float]:
        return {}
