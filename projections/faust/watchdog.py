"""Watchdog: ends a worker that has stalled, so that its supervisor starts it again.

Faust and aiokafka have been seen to stop reading without an error (faust#175, #432, #596, #629,
#640), so it asks the log itself how far it goes, and judges each partition: that others move does
not help one that stands still. A thread of its own notices an event loop that hangs.
"""

import asyncio
import logging
import os
from collections import defaultdict
from collections.abc import Callable, Mapping

from host.threads import SYSTEM, Threads
from projections.faust.membership import TopicPartition
from projections.faust.worker import Worker

logger = logging.getLogger(__name__)

STALLED = 70


class Watchdog:
    """Ends the process with status 70 when the worker has stalled, which is one of:

    - for `stall_seconds` the event loop has hung;
    - a partition with records to handle has not moved in `stall_seconds` of its handler's free
      time, and is not held;
    - one batch, or the wait for partitions and their assignment, takes longer than `slow_seconds`.

    Time before a sign that work goes on (`Progress.alive`) does not count, and none in which one of
    the threads waits for a processor: on a machine that is overloaded all work is slow, and to do
    it again does not make it faster.
    """

    def __init__(
        self,
        worker: Worker,
        stall_seconds: float,
        end: Callable[[int], object] = os._exit,
        threads: Threads = SYSTEM,
        slow_seconds: float = 120.0,
    ) -> None:
        self._worker, self._limit, self._slow = worker, stall_seconds, slow_seconds
        self._end, self._threads = end, threads
        self._period = min(2.0, stall_seconds / 4)
        self._beat = threads.monotonic()
        self._starved, self._starved_at_beat = threads.starved(), threads.starved()
        self._over = False
        self._looked = 0.0
        self._seen: dict[TopicPartition, int] = {}
        self._free: defaultdict[TopicPartition, float] = defaultdict(float)
        self._busy: defaultdict[str, float] = defaultdict(float)
        self._unassigned = 0.0

    async def run(self) -> None:
        """Keeps the known ends of the log fresh, judges, and shows that the event loop is alive."""
        self._threads.start(self._watch_loop, "watchdog")
        loop = asyncio.get_running_loop()
        self._looked = loop.time()
        try:
            while not self._over:
                self._beat = self._threads.monotonic()
                self._starved_at_beat = self._threads.starved()
                await self._look()
                if stall := self.stall(loop.time()):
                    self._give_up(stall)
                await asyncio.sleep(self._period)
        finally:
            self._over = True

    async def _look(self) -> None:
        mine = self._worker.positions
        if not mine:
            return
        try:
            # Not wait_for: a cancellation that comes together with the answer would be lost.
            async with asyncio.timeout(self._period):
                self._worker.ends |= await self._worker.membership.ends(mine)
        except Exception as error:
            # Without an answer the last known ends stay; a stuck consumer shows there too.
            logger.debug("the ends of the log are unknown: %s", error)

    def stall(self, now: float) -> str | None:
        """What has stalled, if anything. Counts the seconds since the last call as one state."""
        worker, starved = self._worker, self._threads.starved()
        passed = max(0.0, now - self._looked - _longest(self._starved, starved))
        self._starved = starved
        if worker.progress.at > self._looked:
            self._free.clear()
            self._busy.clear()
            self._unassigned = 0.0
        self._looked = now
        self._unassigned = self._unassigned + passed if worker.unassigned else 0.0
        if self._unassigned > self._slow:
            return f"it has had no partitions assigned for {self._unassigned:.0f} s"
        positions, ends = dict(worker.positions), worker.ends
        moved = {tp for tp, at in positions.items() if self._seen.get(tp) != at}
        self._seen = positions
        for topic in {topic for topic, _ in positions}:
            still_busy = worker.busy(topic) and not any(topic == name for name, _ in moved)
            self._busy[topic] = self._busy[topic] + passed if still_busy else 0.0
            if self._busy[topic] > self._slow:
                return f"one batch of {topic} has been handled for {self._busy[topic]:.0f} s"
        for tp, at in positions.items():
            if tp in moved or tp in worker.progress.held or at >= ends.get(tp, 0):
                self._free[tp] = 0.0
            elif not worker.busy(tp[0]):
                self._free[tp] += passed
                if self._free[tp] > self._limit:
                    where = f"{tp[0]}/{tp[1]} stands at {at}"
                    return f"{where} for {self._free[tp]:.0f} s, {ends[tp] - at} records wait"
        return None

    def _watch_loop(self) -> None:
        while not self._over:
            self._threads.sleep(min(1.0, self._limit / 4))
            starved = _longest(self._starved_at_beat, self._threads.starved())
            hung = self._threads.monotonic() - self._beat - starved
            if not self._over and hung > self._limit:
                self._give_up(f"its event loop has hung for {hung:.0f} s")

    def _give_up(self, why: str) -> None:
        logger.error("%s: stalled: %s; ends, to be started again", self._worker.name, why)
        logging.shutdown()
        self._over = True
        self._end(STALLED)


def _longest(before: Mapping[int, float], now: Mapping[int, float]) -> float:
    """Seconds for which the thread that did so the longest has waited for a processor between."""
    return max((waited - before.get(thread, 0.0) for thread, waited in now.items()), default=0.0)
