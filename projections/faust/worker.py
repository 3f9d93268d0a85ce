"""Worker: binds batch handlers to a membership, with assignment, order, retries and gaps.

A handler gets what was fetched together, each partition's records in offset order, once per
assignment, from the position that it named. Calls to one handler are made one after the other;
handlers run side by side. An assignment may take as long as a store is away; a newer supersedes it.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from time import perf_counter
from typing import TypeVar

from domain.errors import FencedError, UnavailableError, explain
from eventlog.batch import Batch, Record
from eventlog.topics import Topic
from projections.faust.membership import Membership, TopicPartition
from projections.faust.own_records import OwnRecords
from projections.faust.progress import Progress
from projections.ports import BatchHandler

logger = logging.getLogger(__name__)

T = TypeVar("T")
_FIRST_PAUSE = 0.1
_FETCHES = 2  # What so many of a position have not brought is not in the log.
_LONGEST_PAUSE = 5.0
_STOP_SECONDS = 10
# Longer than a member's session: one who has lost its partitions has been told by then.
_FENCED_SECONDS = 15.0


class Worker:
    """Runs handlers on what its membership gives them, until it is stopped or fails.

    Names of topics are given to the membership with `prefix` before them.
    """

    def __init__(
        self,
        name: str,
        membership: Membership,
        handlers: Mapping[Topic, BatchHandler],
        progress: Progress | None = None,
        *,
        prefix: str = "",
        first_pause: float = _FIRST_PAUSE,
    ) -> None:
        self.name, self._first_pause = name, first_pause
        self.membership, self.progress = membership, progress or Progress()
        self._handlers = {prefix + topic.name: handler for topic, handler in handlers.items()}
        self._turns = {topic: asyncio.Lock() for topic in self._handlers}
        # Counts assignments: what was begun under an earlier one takes no effect any more.
        self._epoch = 0
        self._wanted: frozenset[TopicPartition] = frozenset()
        self._owned: dict[str, set[int]] = {topic: set() for topic in self._handlers}
        self._assigning: asyncio.Task[None] | None = None
        self._next: dict[TopicPartition, int] = {}
        self._prefix, self._own = prefix, OwnRecords(self._turns, self._next, self._handle_own)
        self._sought: dict[TopicPartition, tuple[tuple[int, int], int]] = {}
        self._fenced: set[TopicPartition] = set()
        self.asked = False
        self._ready, self._done = asyncio.Event(), asyncio.Event()
        self._failure: BaseException | None = None
        self.ends: dict[TopicPartition, int] = {}
        membership.bind(self._handlers, self._begin_assignment, self._consume)

    @property
    def lag(self) -> int:
        """Records known to be in the log and not handled yet, in the partitions we have."""
        return sum(max(0, self.ends.get(tp, 0) - at) for tp, at in self._next.items())

    @property
    def positions(self) -> Mapping[TopicPartition, int]:
        """The next offset to handle of each partition whose assignment is complete."""
        return self._next

    @property
    def unassigned(self) -> bool:
        """Partitions have been asked for, and no assignment is complete."""
        return self.asked and not self._ready.is_set()

    def busy(self, topic: str) -> bool:
        """A batch of the topic is being handled; `topic` is its full name."""
        return self._turns[topic].locked()

    async def ready(self) -> None:
        """Returns once an assignment is complete, and none is under way."""
        await self._ready.wait()

    async def run(self, first: Callable[[], Awaitable[None]] | None = None) -> None:
        """Raises what made the worker stop, unless it was asked to.

        `first` runs before partitions are asked for, and again while a server is away.
        """
        crashed = asyncio.create_task(self.membership.failed())
        asked = asyncio.create_task(self._done.wait())
        try:
            if first is not None:
                before = asyncio.create_task(self.retry(first))
                await asyncio.wait({asked, before}, return_when=asyncio.FIRST_COMPLETED)
                if not before.cancel():
                    before.result()
            if not self._done.is_set():
                self.asked = True
                await self.membership.start()
                logger.info("%s: started, reads %s", self.name, ", ".join(self._handlers))
            await asyncio.wait({asked, crashed}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            asked.cancel()
            if not crashed.cancel():
                self.stop(crashed.exception())
            self._done.set()
            # The batch being handled is finished, so that a clean stop repeats nothing.
            async with self._all_turns():
                pass
            try:
                await asyncio.wait_for(self.membership.stop(), _STOP_SECONDS)
            except TimeoutError:
                # Nothing depends on it: positions are stored with the state.
                logger.warning("%s: did not leave its group within %d s", self.name, _STOP_SECONDS)
        if self._failure is not None:
            raise self._failure
        logger.info("%s: stopped", self.name)

    def stop(self, failure: BaseException | None = None) -> None:
        """The first call tells what `run` raises: errors after it come of stopping."""
        if not self._done.is_set():
            self._failure = failure
        elif failure is not None:
            logger.warning("%s: while it stopped: %s", self.name, explain(failure))
        self._done.set()

    def again(self, epoch: int | None = None) -> None:
        """Assigns our partitions to their handlers once more, in place, and reads on from there.

        Nothing where an assignment is under way or, with `epoch`, has been made since that one.
        """
        if self._ready.is_set() and epoch in (None, self._epoch):
            self._begin_assignment(self._wanted)

    def _begin_assignment(self, partitions: frozenset[TopicPartition]) -> None:
        self._epoch += 1
        self._wanted = partitions
        self._ready.clear()
        self._next.clear()
        self._sought.clear()
        self._fenced.clear()
        self.progress.held.clear()
        if self._assigning is None or self._assigning.done():
            self._assigning = asyncio.create_task(self._assign())

    async def _assign(self) -> None:
        while not self._ready.is_set() and not self._done.is_set():
            epoch = self._epoch
            try:
                # Under all turns: no batch is being handled, whatever it was fetched for.
                async with self._all_turns():
                    if not self._done.is_set():
                        await self._take_over(epoch, self._wanted)
            except Exception as error:
                if epoch == self._epoch or not isinstance(error, FencedError):
                    self.stop(error)

    async def _take_over(self, epoch: int, wanted: frozenset[TopicPartition]) -> None:
        starts: dict[TopicPartition, int] = {}
        for topic, handler in self._handlers.items():
            mine = {partition for name, partition in wanted if name == topic}
            if gone := self._owned[topic] - mine:
                await self._unless_superseded(epoch, partial(handler.revoke, gone))
            self._owned[topic] = mine
            found = await self._unless_superseded(epoch, partial(handler.assign, mine))
            self.progress.alive()
            starts.update({(topic, partition): at for partition, at in found.items()})
        # Before the seek: its records may come before it returns, and wait for their turn.
        self._next.update(starts)
        if starts:
            await self._unless_superseded(epoch, partial(self.membership.seek, starts))
        self._ready.set()
        self.progress.observer.assigned()
        logger.info("%s: has %d partitions", self.name, len(wanted))

    async def _unless_superseded(self, epoch: int, step: Callable[[], Awaitable[T]]) -> T:
        """Repeats `step` while a server is away. Raises FencedError after a newer assignment."""

        async def attempt() -> T:
            self._check(epoch)
            return await step()

        done = await self.retry(attempt)
        self._check(epoch)
        return done

    def _check(self, epoch: int) -> None:
        if epoch != self._epoch:
            raise FencedError("superseded by a newer assignment")

    def take(self, topic: Topic, partition: int, record: Record) -> None:
        """What this process has appended, once it is acknowledged: it need not be fetched."""
        self._own.add(self._prefix + topic.name, partition, record)

    async def _handle_own(self, batches: Sequence[Batch]) -> None:
        if not self._done.is_set():
            await self._handle(self._epoch, batches)

    async def _consume(self, batches: Sequence[Batch]) -> None:
        epoch = self._epoch
        # Others are dropped at once: a group that takes partitions away waits for what is under way
        ours = [each for each in batches if each.place in self._next]
        if not ours:
            return
        async with self._turns[ours[0].topic]:
            if self._done.is_set() or epoch != self._epoch:
                return
            await self._handle(epoch, ours)

    async def _handle(self, epoch: int, batches: Sequence[Batch]) -> None:
        try:
            await self._in_order(epoch, batches)
        except FencedError as error:
            if epoch != self._epoch:
                return
            if len(batches) > 1:
                # One of them is; the others go on.
                for each in batches:
                    await self._handle(epoch, [each])
                return
            # Until the next assignment it counts as lag.
            logger.warning("%s: %s", self.name, error)
            self._fenced.add(batches[0].place)
            asyncio.get_running_loop().call_later(_FENCED_SECONDS, self.again, epoch)
        except Exception as error:
            self.stop(error)

    async def _in_order(self, epoch: int, batches: Sequence[Batch]) -> None:
        self._check(epoch)
        fresh = []
        for batch in batches:
            tp = batch.place
            self.ends[tp] = max(batch.end, self.ends.get(tp, 0))
            if tp not in self._fenced and not await self._jumped(epoch, batch):
                fresh.append(batch.since(self._next[tp]))
        if fresh:
            handler, began = self._handlers[fresh[0].topic], perf_counter()
            await self._unless_superseded(epoch, partial(handler.handle, fresh))
            self._next.update({each.place: each.next for each in fresh})
            self.progress.observer.handled(fresh, perf_counter() - began)

    async def _jumped(self, epoch: int, batch: Batch) -> bool:
        """True where nothing of the batch is to be handled."""
        tp, expected = batch.place, self._next[batch.place]
        if batch.first <= expected:
            return batch.next <= expected
        jump = expected, batch.first
        last, met = self._sought.get(tp, (jump, 0))
        self._sought[tp] = jump, met + 1 if last == jump else 1
        # A fetch was lost between two assignments, or was under way when the position was sought.
        lost = self._sought[tp][1] <= _FETCHES
        said = "jumped" if lost else "has nothing"
        logger.warning("%s: %s/%d %s from %d to %d", self.name, *tp, said, *jump)
        if lost:
            await self._unless_superseded(epoch, partial(self.membership.seek, {tp: expected}))
        return lost

    def background(self, task: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
        """Runs a task beside the batches: again after UnavailableError; other errors stop us."""

        async def run() -> None:
            try:
                await self.retry(task)
            except FencedError as error:
                logger.warning("%s: %s", self.name, error)
                self.stop(error)
            except Exception as error:
                self.stop(error)

        return run

    @asynccontextmanager
    async def _all_turns(self) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for turn in self._turns.values():
                await stack.enter_async_context(turn)
            yield

    async def retry(self, step: Callable[[], Awaitable[T]]) -> T:
        """Repeats `step` while a server that it needs is away."""
        pause = self._first_pause
        while True:
            try:
                return await step()
            except UnavailableError as error:
                if self._done.is_set():
                    raise FencedError(f"stopped while waiting: {error}") from error
                logger.warning("%s: waits %.1f s: %s", self.name, pause, error)
                self.progress.waited()
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
