"""Ledger: what one process knows of each transaction id, read from its own tail of the log.

It answers which submission and which decision count, without any store: positions come from the
reader's memory, contents from the log itself. It appends nothing.
"""

import asyncio
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

from domain.errors import IntegrityError, LogUnavailableError, NotFoundError, RetraceError
from domain.events import Envelope, TransactionScored
from domain.features import feature_event
from eventlog.admission.first_wins import HORIZON_US, Admission, KeptMemory, Known, Place
from eventlog.cache_files import is_damaged
from eventlog.codec import decode
from eventlog.ledger.tail_buffer import MOST, TailBuffer
from eventlog.ledger.waiting import Waiters
from eventlog.port import EventLog, Position, Recorded
from eventlog.topics import TRANSACTIONS
from host.threads import SYSTEM, Threads

logger = logging.getLogger(__name__)

Listener = Callable[[Position, Envelope], None]
_CHUNK = 100
_TRIM_SECONDS = 1.0
_CACHED_DECISIONS = 5_000
_PAUSE_SECONDS = 0.5
_FETCHING = 4
_NEVER = 1 << 62
# The tail buffer holds no more than this, so records further back are not read again.
_REACH = MOST // TRANSACTIONS.partitions


class Ledger:
    """Tails TRANSACTIONS in a thread of its own from `start` until `close`.

    `covered` tells per partition the offset from which stored feature states need the tail; it is
    asked about once a second, and may answer with nothing when its store is away.
    """

    def __init__(
        self,
        log: EventLog,
        memory: KeptMemory,
        covered: Callable[[], Mapping[int, int]],
        horizon_us: int = HORIZON_US,
        threads: Threads = SYSTEM,
    ) -> None:
        self._log, self._memory, self._covered = log, memory, covered
        self._horizon_us, self._threads = horizon_us, threads
        self._admission = Admission(memory)
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._decisions: OrderedDict[str, Envelope] = OrderedDict()
        self._listeners: list[Listener] = []
        self._barrier = _Barrier()
        self._start = self._first_offsets()
        self._waiters = Waiters(self._start)
        self.tail = TailBuffer(self._start)
        self.void = 0
        # Its own threads: those of the event loop may all be waiting for another server.
        self._fetching = ThreadPoolExecutor(_FETCHING, thread_name_prefix="ledger-fetch")
        self._memory_damaged = False
        self._join: Callable[[float], None] | None = None

    def start(self) -> None:
        self._join = self._threads.start(self._run, "ledger")

    def close(self) -> None:
        self._closing.set()
        if self._join is not None:
            self._join(10.0)
        self._fetching.shutdown(wait=False, cancel_futures=True)
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

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Calls `listener` from the ledger's thread for each record that counts.

        Returns the function that ends it.
        """
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def known(self, transaction_id: str, now: int | None = None) -> Known | None:
        """None for an id never seen, or, where `now` is given, free to be used again at `now`."""
        with self._lock:
            found = self._memory.known([transaction_id]).get(transaction_id)
        if found and now is not None and now - found.known_time > self._horizon_us:
            return None
        return found

    def undecided(self) -> dict[str, Known]:
        """Submissions that count and have no decision yet."""
        with self._lock:
            return self._memory.undecided()

    def label(self, event_id: str, known: Known) -> Place | None:
        """(partition, offset) of the label that counts, None for one never seen of this use of the
        transaction's id."""
        with self._lock:
            place = self._memory.label(event_id)
        return place if place and place[1] >= known.origin_offset else None

    def ends(self) -> list[int]:
        """Per partition the offset after the last record read."""
        return self._waiters.ends()

    async def passed(self, partition: int, offset: int, within: float = 5.0) -> None:
        """Returns once the tail has read `offset`; `within` that many seconds, or it raises
        LogUnavailableError."""
        try:
            # Not wait_for: that makes a task of each call, and a decision makes nine.
            async with asyncio.timeout(within):
                await self._waiters.passed(partition, offset)
        except TimeoutError as error:
            raise LogUnavailableError(
                f"our own tail did not reach {partition}/{offset} within {within:g} s; "
                "retry under the same id"
            ) from error

    async def barrier(self, within: float = 5.0) -> None:
        """Returns once all that was acknowledged before this call has been read."""
        ends = await self._barrier.ends(self._log)
        for partition, end in enumerate(ends):
            if end:
                await self.passed(partition, end - 1, within)

    async def submission(self, known: Known) -> Envelope:
        """The submitted or imported record that counts."""
        return await self._fetch(known.partition, known.origin_offset)

    async def record(self, place: Place) -> Envelope:
        """The record at a place that was read."""
        return await self._fetch(*place)

    async def decision(self, transaction_id: str, known: Known) -> Envelope:
        """The decision that counts. Raises NotFoundError while there is none."""
        if known.scored_offset is None:
            raise NotFoundError("decision", transaction_id)
        cached = self._decisions.get(transaction_id)
        return cached or await self._fetch(known.partition, known.scored_offset)

    async def _fetch(self, partition: int, offset: int) -> Envelope:
        position = Position(TRANSACTIONS.name, partition, offset)
        recorded = await asyncio.get_running_loop().run_in_executor(
            self._fetching, self._log.read_one, position
        )
        return decode(recorded.value)

    def _first_offsets(self) -> list[int]:
        covered, positions = self._covered(), self._memory.positions()
        read = [positions.get(partition, 0) for partition in range(TRANSACTIONS.partitions)]
        return [
            max(min(at, covered.get(partition, at)), at - _REACH)
            for partition, at in enumerate(read)
        ]

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
        tail = self._log.tail(TRANSACTIONS, dict(enumerate(self._start)))
        trimmed = self._threads.monotonic()
        try:
            while not self._closing.is_set():
                try:
                    batch = tail.poll(timeout=0.2)
                except LogUnavailableError as error:
                    logger.warning("%s; the ledger waits for it", error)
                    self._threads.sleep(_PAUSE_SECONDS)
                    continue
                self._read(batch)
                if self._threads.monotonic() - trimmed > _TRIM_SECONDS:
                    self._trim()
                    trimmed = self._threads.monotonic()
        finally:
            tail.close()

    def _read(self, batch: list[Recorded]) -> None:
        for start in range(0, len(batch), _CHUNK):
            chunk = [
                (recorded.position, _decoded(recorded))
                for recorded in batch[start : start + _CHUNK]
            ]
            ends = {place.partition: place.offset + 1 for place, _ in chunk}
            # The lock is held for a chunk only, so that requests can look up ids in between.
            with self._lock:
                self._admission.expect([envelope for _, envelope in chunk if envelope])
                admitted = [(place, self._admit(place, envelope)) for place, envelope in chunk]
                self._memory.commit(ends)
            for place, envelope in admitted:
                change = feature_event(envelope) if envelope else None
                self.tail.add(place.partition, place.offset, change)
            self._waiters.advance(ends)
            for place, envelope in admitted:
                if envelope:
                    for listener in list(self._listeners):
                        listener(place, envelope)

    def _admit(self, place: Position, envelope: Envelope | None) -> Envelope | None:
        if envelope is None:
            return None
        if not self._admission.admit(envelope, place.partition, place.offset):
            self.void += 1
            return None
        if isinstance(envelope.data, TransactionScored):
            self._decisions[envelope.subject] = envelope
            if len(self._decisions) > _CACHED_DECISIONS:
                self._decisions.popitem(last=False)
        return envelope

    def _trim(self) -> None:
        for partition, offset in self._covered().items():
            self.tail.forget(partition, offset)


def _decoded(recorded: Recorded) -> Envelope | None:
    try:
        return decode(recorded.value)
    except RetraceError as error:
        logger.warning("%s cannot be read and is skipped: %s", recorded.position, error)
        return None


class _Barrier:
    """One request for the log's ends serves all who asked before it was sent."""

    def __init__(self) -> None:
        self._running: asyncio.Task[list[int]] | None = None
        self._next: asyncio.Task[list[int]] | None = None

    async def ends(self, log: EventLog) -> list[int]:
        if self._running is None or self._running.done():
            self._running = asyncio.ensure_future(_ask(log))
            return await asyncio.shield(self._running)
        # The running request may be older than our caller: wait for the next one.
        if self._next is None or self._next.done():
            self._next = asyncio.ensure_future(self._follow(self._running, log))
        return await asyncio.shield(self._next)

    async def _follow(self, running: asyncio.Task[list[int]], log: EventLog) -> list[int]:
        await asyncio.wait([running])
        current = asyncio.current_task()
        assert current is not None
        # This request is under way from here on: later callers need another one.
        self._running, self._next = current, None
        return await _ask(log)


async def _ask(log: EventLog) -> list[int]:
    return list(await log.ends(TRANSACTIONS))
