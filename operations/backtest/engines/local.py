"""Local engine: processes of this machine."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager

from domain.errors import UnavailableError
from operations.backtest.engines.port import Done, Made, Task


class InProcess:
    """Implements Engine in the process that asks, one task after the other."""

    workers, worth_it = 1, 0

    def run(self, job: Callable[[Task], Made], tasks: Sequence[Task], done: Done) -> list[Made]:
        made = []
        for number, task in enumerate(tasks):
            done(number)
            made.append(job(task))
        return made


class LocalEngine:
    """Implements Engine with as many processes, which are new ones: they share no lock with this
    one's threads."""

    worth_it = 100_000

    def __init__(self, pool: ProcessPoolExecutor, workers: int) -> None:
        self._pool, self.workers = pool, workers

    def run(self, job: Callable[[Task], Made], tasks: Sequence[Task], done: Done) -> list[Made]:
        futures = [self._pool.submit(job, task) for task in tasks]
        try:
            for number, future in enumerate(as_completed(futures)):
                future.result()
                done(number + 1)
            return [future.result() for future in futures]
        except BrokenProcessPool as error:
            raise UnavailableError(
                "backtest",
                "a worker died, by lack of memory or a kill: lower RETRACE_BACKTEST_MEMORY_MB",
            ) from error
        finally:
            for future in futures:
                future.cancel()


@contextmanager
def local_engine(workers: int) -> Iterator[InProcess | LocalEngine]:
    """Its processes end with the block, or with this process."""
    if workers < 2:
        yield InProcess()
        return
    pool = ProcessPoolExecutor(
        workers, multiprocessing.get_context("spawn"), initializer=_end_with_parent
    )
    try:
        yield LocalEngine(pool, workers)
    finally:
        pool.shutdown(cancel_futures=True)


def _end_with_parent() -> None:
    """A worker of a process that was killed would wait for its next task for ever."""
    threading.Thread(target=_outlive, daemon=True).start()


def _outlive() -> None:
    if (parent := multiprocessing.parent_process()) is not None:
        parent.join()
        os._exit(1)
