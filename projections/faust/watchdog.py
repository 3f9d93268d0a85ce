"""Watchdog: stops a worker that makes no progress while it has lag.

Faust and aiokafka have been seen to stop reading without an error (faust#175, #432, #596, #629,
#640), so it runs in a thread of its own and asks the log itself how far it goes.
"""

import asyncio
import logging
import os
from collections.abc import Callable

from host.threads import SYSTEM, Threads
from projections.faust.worker import Worker

logger = logging.getLogger(__name__)

STALLED = 70


class Watchdog:
    """Ends the process with status 70 after `stall_seconds` of lag without progress."""

    def __init__(
        self,
        worker: Worker,
        stall_seconds: float,
        end: Callable[[int], object] = os._exit,
        threads: Threads = SYSTEM,
    ) -> None:
        self._worker, self._limit, self._end = worker, stall_seconds, end
        self._threads = threads
        self._beat = threads.monotonic()
        self._over = False

    async def run(self) -> None:
        """Keeps the known ends of the log fresh, and shows that the event loop is alive."""
        self._threads.start(self._watch, "watchdog")
        period = min(2.0, self._limit / 4)
        try:
            while True:
                self._beat = self._threads.monotonic()
                await self._look(period)
                await asyncio.sleep(period)
        finally:
            self._over = True

    async def _look(self, seconds: float) -> None:
        mine = self._worker.partitions
        if not mine:
            return
        try:
            # Not wait_for: a cancellation that comes together with the answer would be lost.
            async with asyncio.timeout(seconds):
                self._worker.ends |= await self._worker.membership.ends(mine)
        except Exception as error:
            # Without an answer the last known ends stay; a stuck consumer shows there too.
            logger.debug("the ends of the log are unknown: %s", error)

    def _watch(self) -> None:
        while not self._over:
            self._threads.sleep(min(1.0, self._limit / 4))
            now = self._threads.monotonic()
            if now - self._beat > self._limit:
                self._give_up("its event loop hangs")
            elif self._worker.lag == 0:
                self._worker.progress.at = now
            elif now - self._worker.progress.at > self._limit:
                self._give_up(f"{self._worker.lag} records wait")

    def _give_up(self, why: str) -> None:
        logger.error(
            "%s: no progress in %.0f s while %s; ends, to be started again",
            self._worker.name, self._limit, why,
        )  # fmt: skip
        logging.shutdown()
        self._end(STALLED)
        self._over = True
