"""Reader of a whole topic, beside an event loop: from where it was sought, until sought again."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from domain.errors import LogUnavailableError
from eventlog.batch import Batch, Record
from eventlog.port import EventLog, Recorded, Tail
from eventlog.topics import Topic
from projections.faust.membership import Consume

logger = logging.getLogger(__name__)
T = TypeVar("T")

_POLL_SECONDS = 1.0
_PAUSE_SECONDS = 0.5


class WholeTopic:
    """All partitions of `topic`, which the server calls `name`. One event loop owns it."""

    def __init__(self, log: EventLog, topic: Topic, name: str) -> None:
        self._log, self._topic, self._name = log, topic, name
        # One thread: a tail is not closed while it is polled.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"whole-{topic.base}")
        self._next: dict[int, int] = {}
        # Counts seeks and rests: what was fetched under an earlier one is dropped.
        self._turn = 0
        self._sought = asyncio.Event()
        self._idle = self._closing = False

    @property
    def partitions(self) -> frozenset[tuple[str, int]]:
        return frozenset((self._name, p) for p in range(self._topic.partitions))

    def rest(self) -> None:
        """Reads nothing until it is sought."""
        self._turn += 1
        self._next.clear()
        self._sought.clear()

    def seek(self, starts: Mapping[int, int]) -> None:
        """Reads these on from there; others that were sought since it rested go on."""
        self._turn += 1
        self._next.update(starts)
        self._sought.set()

    def close(self) -> None:
        """`run` returns once what it polls and hands out is done."""
        self._closing = True
        self._sought.set()

    async def ends(self) -> Mapping[int, int]:
        """The end of each partition that is read. Raises LogUnavailableError."""
        ends = await self._log.ends(self._topic)
        # What a poll that waited its time has not brought are no records: a transaction's end.
        return {p: at if self._idle else max(at, ends[p]) for p, at in self._next.items()}

    async def run(self, consume: Consume) -> None:
        while True:
            await self._sought.wait()
            if self._closing:
                self._thread.shutdown(wait=False)
                return
            try:
                await self._follow(consume)
            except LogUnavailableError as error:
                logger.warning("%s; %s is read when it does", error, self._name)
                await asyncio.sleep(_PAUSE_SECONDS)

    async def _follow(self, consume: Consume) -> None:
        turn, self._idle = self._turn, False
        firsts, ends = await self._beside(lambda: self._log.bounds(self._topic))
        starts = {
            # As `auto.offset.reset` says: the topic keeps its records for some days alone.
            p: at if firsts[p] <= at <= ends[p] else firsts[p]
            for p, at in self._next.items()
        }
        if turn != self._turn:
            return
        tail = self._log.tail(self._topic, starts)
        try:
            while turn == self._turn and not self._closing:
                records = await self._polled(tail)
                if turn != self._turn:
                    return
                self._idle = not records
                if records:
                    batches = self._batches(records)
                    self._next.update({each.partition: each.next for each in batches})
                    await consume(batches)
        finally:
            await self._beside(tail.close)

    async def _polled(self, tail: Tail) -> Sequence[Recorded]:
        return await self._beside(lambda: tail.poll(_POLL_SECONDS))

    async def _beside(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _batches(self, records: Sequence[Recorded]) -> list[Batch]:
        found: dict[int, list[Record]] = {}
        for each in records:
            key = None if each.key is None else each.key.encode()
            found.setdefault(each.position.partition, []).append(
                (each.position.offset, key, each.value)
            )
        return [
            Batch(self._name, partition, taken, taken[-1][0] + 1)
            for partition, taken in found.items()
        ]
