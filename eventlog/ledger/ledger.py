"""Ledger: what one process knows of each transaction id, read from its own tail of the log.

It answers which submission and which decision count, without any store: positions come from the
reader's memory, contents from the log itself. What the process appends itself, and what lands right
behind all that was read, is known once it is acknowledged: nobody wrote in between.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from functools import partial

from domain.errors import (
    IntegrityError,
    LogUnavailableError,
    NotFoundError,
    NotOwnedError,
    RetraceError,
)
from domain.events import Envelope, TransactionScored
from eventlog.admission.first_wins import HORIZON_US, Admission, KeptMemory, Known, Place
from eventlog.cache_files import is_damaged
from eventlog.codec import decode
from eventlog.ledger.records import StoredRecords, readable
from eventlog.ledger.shared_call import SharedCall
from eventlog.ledger.unkept import Unkept
from eventlog.ledger.waiting import Waiters
from eventlog.port import EventLog, Position, Recorded
from eventlog.topics import TRANSACTIONS
from host.threads import SYSTEM, Threads

logger = logging.getLogger(__name__)

Listener = Callable[[Position, Envelope], None]
_Heard = tuple[Position, Envelope]
_CHUNK = 100
_PAUSE_SECONDS, _FEW = 0.5, 50
_NEVER = 1 << 62
ALL = range(TRANSACTIONS.partitions)


class Ledger:
    """Tails TRANSACTIONS in a thread of its own from `start` until `close`: these `partitions`
    (all unless given) until `follow` names others."""

    def __init__(
        self,
        log: EventLog,
        memory: KeptMemory,
        horizon_us: int = HORIZON_US,
        threads: Threads = SYSTEM,
        partitions: Collection[int] = ALL,
    ) -> None:
        self._log, self._memory = log, memory
        self._horizon_us, self._threads = horizon_us, threads
        self._admission = Admission(memory)
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._listeners: list[Listener] = []
        self._log_ends = SharedCall(partial(log.ends, TRANSACTIONS))
        read = memory.positions()
        self._followed = frozenset(partitions)
        self._unkept = Unkept(threads)
        # Their ends are the first offsets that are not known: moved on under the lock.
        self._waiters = Waiters([read.get(partition, 0) for partition in ALL])
        self.void = 0
        self._records = StoredRecords(log)
        self._looking = [asyncio.Lock() for _ in ALL]
        self._memory_damaged = False
        self._join: Callable[[float], None] | None = None

    def start(self) -> None:
        self._join = self._threads.start(self._run, "ledger")

    def close(self) -> None:
        self._closing.set()
        if self._join is not None:
            self._join(10.0)
        self._records.close()
        with self._lock:
            if self._memory_damaged:
                self._memory.discard()
            else:
                self._memory.close()

    async def failed(self) -> None:
        """Waits for ever, unless the tail ends: then it raises IntegrityError.

        The process must then be restarted; it reads the log again if its memory was damaged.
        """
        try:
            await self._waiters.passed(0, _NEVER)
        except LogUnavailableError as error:
            raise IntegrityError(str(error)) from error

    def follow(self, partitions: Collection[int]) -> None:
        """These from now on, and no others; from any thread. One that was followed before goes on
        where it was left, and what is known of one that is left stays as it is."""
        self._followed = frozenset(partitions)

    def append(self, envelope: Envelope) -> asyncio.Future[Position]:
        """To TRANSACTIONS by its subject, as EventLog.append does: at once."""
        appended = asyncio.ensure_future(self._log.append(TRANSACTIONS, envelope.subject, envelope))
        if appended.done():
            self._acknowledged(envelope, appended)
        else:
            appended.add_done_callback(partial(self._acknowledged, envelope))
        return appended

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Calls `listener`, from any thread, for each record that counts.

        Returns the function that ends it.
        """
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def known(self, transaction_id: str, now: int | None = None) -> Known | None:
        """None for an id never seen, or, where `now` is given, free to be used again at `now`.

        Raises NotOwnedError for an id of a partition that is not followed.
        """
        if self._log.partition_of(TRANSACTIONS, transaction_id) not in self._followed:
            raise NotOwnedError(transaction_id)
        with self._lock:
            found = self._memory.known([transaction_id]).get(transaction_id)
        if found and now is not None and now - found.known_time > self._horizon_us:
            return None
        return found

    def undecided(self) -> dict[str, Known]:
        """Submissions that count and have no decision yet."""
        with self._lock:
            found = self._memory.undecided()
        return {each: known for each, known in found.items() if known.partition in self._followed}

    def label(self, event_id: str, known: Known) -> Place | None:
        """Of the label that counts; None for one never seen of this use of the transaction's id."""
        with self._lock:
            place = self._memory.label(event_id)
        return place if place and place[1] >= known.origin_offset else None

    def ends(self) -> list[int]:
        """Per partition the offset after the last record that is known."""
        return self._waiters.ends()

    async def passed(self, partition: int, offset: int, within: float = 5.0) -> None:
        """Returns once `offset` is known. Raises LogUnavailableError after `within` seconds."""
        if self._waiters.end(partition) > offset:
            return
        try:
            # Not wait_for: that makes a task of each call.
            async with asyncio.timeout(within):
                await self._look(partition, offset)
                await self._waiters.passed(partition, offset)
        except TimeoutError as error:
            raise LogUnavailableError(
                f"our own tail did not reach {partition}/{offset} within {within:g} s; "
                "retry under the same id"
            ) from error

    async def _look(self, partition: int, offset: int) -> None:
        """Reads the few that are missing itself: the tail, which gathers, brings them later."""
        async with self._looking[partition]:
            end = self._waiters.end(partition)
            if 0 <= offset - end < _FEW:
                with suppress(NotFoundError, LogUnavailableError):
                    self.learn(await self._records.few(partition, end, offset + 1 - end))

    async def barrier(self, within: float = 5.0) -> None:
        """Returns once all that was acknowledged before this call is known; waits so long for
        each partition."""
        for partition, offset in (await self._now_in_log()).items():
            await self.passed(partition, offset, within)

    async def _now_in_log(self) -> dict[int, int]:
        ends = await self._log_ends()
        return {partition: ends[partition] - 1 for partition in self._followed}

    async def caught_up(
        self, alive: Callable[[], None] | None = None, upto: Mapping[int, int] | None = None
    ) -> None:
        """As `barrier`, or up to these offsets, however long that takes; `alive` is called now and
        then while it gets nearer."""
        await self._waiters.caught_up(upto or await self._now_in_log(), alive)

    async def submission(self, known: Known) -> Envelope:
        """The submitted or imported record that counts."""
        return await self.record(known.partition, known.origin_offset)

    async def decision(self, transaction_id: str, known: Known) -> Envelope:
        """The decision that counts. Raises NotFoundError while there is none."""
        if known.scored_offset is None:
            raise NotFoundError("decision", transaction_id)
        kept = self._records.decision(transaction_id)
        return kept or await self.record(known.partition, known.scored_offset)

    async def record(self, partition: int, offset: int) -> Envelope:
        """The record at a place that is known."""
        (recorded,) = await self._records.few(partition, offset, 1)
        return decode(recorded.value)

    def _run(self) -> None:
        try:
            self._follow()
        except Exception as error:
            logger.error("the ledger ends: %s", error, exc_info=not isinstance(error, RetraceError))
            self._memory_damaged = isinstance(error, IntegrityError) or is_damaged(error)
            self._waiters.fail(
                LogUnavailableError(f"this process no longer follows the log: {error}")
            )

    def _follow(self) -> None:
        while not self._closing.is_set():
            self._follow_these(self._followed)
            self._commit(self._unkept.all())

    def _follow_these(self, followed: frozenset[int]) -> None:
        positions = {partition: self._waiters.end(partition) for partition in followed}
        tail = self._log.tail(TRANSACTIONS, positions, gathered=True)
        try:
            while self._followed == followed and not self._closing.is_set():
                try:
                    batch = tail.poll(timeout=0.2)
                except LogUnavailableError as error:
                    logger.warning("%s; the ledger waits for it", error)
                    self._threads.sleep(_PAUSE_SECONDS)
                    continue
                for start in range(0, len(batch), _CHUNK):
                    self._read(batch[start : start + _CHUNK])
                self._commit(self._unkept.due())
        finally:
            tail.close()

    def _commit(self, positions: Mapping[int, int]) -> None:
        if positions:
            with self._lock:
                self._memory.commit(positions)

    def learn(self, records: Sequence[Recorded]) -> None:
        """Takes what somebody else has read, where it lies right behind all that is known.

        They are of one partition, by rising offsets; what they do not bring, the tail does.
        """
        if records and records[0].position.offset <= self._waiters.end(
            records[0].position.partition
        ):
            self._read(records, by_tail=False)

    def _read(self, chunk: Sequence[Recorded], by_tail: bool = True) -> None:
        # Without the lock: what is known by now is not decoded, what becomes known is skipped.
        news = [
            (recorded.position, readable(recorded))
            for recorded in chunk
            if recorded.position.offset >= self._waiters.end(recorded.position.partition)
        ]
        heard: list[_Heard] = []
        # The lock is held for a chunk only, so that requests can look up ids in between.
        with self._lock:
            self._admission.expect([envelope for _, envelope in news if envelope])
            for place, envelope in news:
                if place.offset >= self._waiters.end(place.partition):
                    heard += self._take(place, envelope)
            if by_tail:
                self._unkept.read(chunk)
        self._tell(heard)

    def _acknowledged(self, envelope: Envelope, appended: asyncio.Future[Position]) -> None:
        if appended.cancelled() or appended.exception() or self._closing.is_set():
            return
        place = appended.result()
        with self._lock:
            if place.offset != self._waiters.end(place.partition):
                # Somebody wrote before us: only the tail knows what.
                return
            heard = self._take(place, envelope)
        self._tell(heard)

    def _take(self, place: Position, envelope: Envelope | None) -> Sequence[_Heard]:
        """Under the lock, by rising offsets; returns the record where it counts."""
        counts = self._admit(place, envelope)
        self._waiters.advance({place.partition: place.offset + 1})
        return [(place, counts)] if counts else []

    def _tell(self, heard: Sequence[_Heard]) -> None:
        for place, envelope in heard:
            for listener in list(self._listeners):
                listener(place, envelope)

    def _admit(self, place: Position, envelope: Envelope | None) -> Envelope | None:
        if envelope is None:
            return None
        if not self._admission.admit(envelope, place.partition, place.offset):
            self.void += 1
            return None
        if isinstance(envelope.data, TransactionScored):
            self._records.keep(envelope)
        return envelope
