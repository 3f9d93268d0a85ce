"""Ledger: what one process knows of each transaction id, read from its own tail of the log.

It answers which submission and which decision count, without any store: places come from an index
of ids, contents from the log itself. What the process appends itself, and what lands right behind
all that was read, is known once it is acknowledged: nobody wrote in between.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from functools import partial

from domain.errors import IntegrityError, LogUnavailableError, NotFoundError, NotOwnedError
from domain.events import Envelope, TransactionScored
from eventlog.admission.first_wins import HORIZON_US, Known, Place
from eventlog.index.entries import about
from eventlog.index.files import FilesInRam
from eventlog.index.id_index import IdIndex
from eventlog.index.opening import FAR, Opening
from eventlog.index.ports import Archived, IndexFiles, NoArchive
from eventlog.ledger.following import Following
from eventlog.ledger.recalling import Recalling
from eventlog.ledger.records import StoredRecords, decoded, readable
from eventlog.ledger.shared_call import SharedCall
from eventlog.ledger.waiting import Waiters
from eventlog.port import EventLog, Position, Recorded
from eventlog.topics import TRANSACTIONS
from host.threads import SYSTEM, Threads

Listener = Callable[[Position, Envelope], None]
_Heard = tuple[Position, Envelope]
_FEW = 200
_NEVER = 1 << 62
ALL = range(TRANSACTIONS.partitions)


class Ledger:
    """Tails TRANSACTIONS in a thread of its own from `start` until `close`: these `partitions`
    (all unless given) until `follow` names others.

    Before a partition is tailed its index is opened: from `files` (in RAM unless given), or from
    what is `archived` where that is `far` records ahead. Until then nothing is known of it.
    """

    def __init__(
        self,
        log: EventLog,
        files: IndexFiles | None = None,
        archived: Archived | None = None,
        *,
        far: int = FAR,
        horizon_us: int = HORIZON_US,
        threads: Threads = SYSTEM,
        partitions: Collection[int] = ALL,
    ) -> None:
        self._log, self._horizon_us = log, horizon_us
        self._index, self._lock = IdIndex(), threading.Lock()
        # Ends are first offsets that are not known, -1 before the index is open: under the lock.
        self._waiters = Waiters([-1 for _ in ALL])
        files, archived = files or FilesInRam(), archived or NoArchive()
        self._records = StoredRecords(log, archived)
        self._recalling = Recalling(self._index, self._lock, self._records)
        self._following = Following(
            *(log, self._index, self._lock, self._waiters, files),
            *(Opening(log, files, archived, far), threads, partitions, self._tailed),
        )
        self._listeners: list[Listener] = []
        self._log_ends = SharedCall(partial(log.ends, TRANSACTIONS))
        self.void = 0
        self._looking = [asyncio.Lock() for _ in ALL]

    def start(self) -> None:
        self._following.start()

    def close(self) -> None:
        self._following.close()
        self._records.close()

    async def failed(self) -> None:
        """Waits for ever, unless the tail ends: then it raises IntegrityError.

        The process must then be restarted; it makes its index anew where that is of another log.
        """
        try:
            await self._waiters.passed(0, _NEVER)
        except LogUnavailableError as error:
            raise IntegrityError(str(error)) from error

    def follow(self, partitions: Collection[int]) -> None:
        """These from now on, and no others; from any thread. One that was followed before goes on
        where it was left, and what is known of one that is left stays as it is."""
        self._following.followed = frozenset(partitions)

    def followed(self) -> frozenset[int]:
        return self._following.followed

    def follows(self, transaction_id: str) -> bool:
        return self._log.partition_of(TRANSACTIONS, transaction_id) in self._following.followed

    def append(self, envelope: Envelope) -> asyncio.Future[Position]:
        """To TRANSACTIONS by its subject, as EventLog.append does: at once."""
        return self._sent(envelope, self._log.append(TRANSACTIONS, envelope.subject, envelope))

    def append_together(self, *envelopes: Envelope) -> Sequence[asyncio.Future[Position]]:
        """As `append` of each in turn. They have the same subject."""
        sent = self._log.append_together(TRANSACTIONS, envelopes[0].subject, envelopes)
        return [self._sent(*each) for each in zip(envelopes, sent, strict=True)]

    def _sent(self, envelope: Envelope, sent: Awaitable[Position]) -> asyncio.Future[Position]:
        appended = asyncio.ensure_future(sent)
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
        """As `recalled`, at once, for an id that was recalled or is new. Raises LogUnavailableError
        for any other."""
        found = self._recalling.known(transaction_id, self._partition(transaction_id))
        if found and now is not None and now - found.known_time > self._horizon_us:
            return None
        return found

    async def recalled(self, transaction_id: str, now: int | None = None) -> Known | None:
        """None for an id never seen, or, where `now` is given, free to be used again at `now`.

        Waits for nothing where the id is new, or was seen lately. Raises NotOwnedError for an id of
        a partition that is not followed, and LogUnavailableError.
        """
        await self._recalling.recall(transaction_id, self._partition(transaction_id))
        return self.known(transaction_id, now)

    def _partition(self, transaction_id: str) -> int:
        partition = self._log.partition_of(TRANSACTIONS, transaction_id)
        if partition not in self._following.followed:
            raise NotOwnedError(transaction_id)
        return partition

    async def undecided(self, below: Mapping[int, int] | None = None) -> dict[str, Known]:
        """Submissions that count and have no decision yet: in what is followed, or below these
        offsets by partition."""
        ends = dict.fromkeys(self._following.followed, _NEVER)
        return await self._recalling.undecided(ends if below is None else below)

    def label(self, event_id: str, known: Known) -> Place | None:
        """Of the label that counts; None for one never seen of this use of the transaction's id,
        which was recalled."""
        with self._lock:
            place = self._index.label(event_id)
        return place if place and place[1] >= known.origin_offset else None

    def ends(self) -> list[int]:
        """Per partition the offset after the last record that is known."""
        return [max(0, end) for end in self._waiters.ends()]

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
            if end >= 0 <= offset - end < _FEW:
                with suppress(NotFoundError, LogUnavailableError):
                    # Decoded beside the loop: beside an import these are many.
                    self._read(
                        await self._records.few(partition, end, offset + 1 - end, self._news)
                    )

    async def barrier(self, within: float = 5.0) -> None:
        """Returns once what is followed is open, and all that was acknowledged before this call is
        known; waits so long for each partition."""
        for partition, offset in (await self._now_in_log()).items():
            await self.passed(partition, offset, within)

    async def _now_in_log(self) -> dict[int, int]:
        ends = await self._log_ends()
        return {partition: ends[partition] - 1 for partition in self._following.followed}

    async def caught_up(
        self, alive: Callable[[], None] | None = None, upto: Mapping[int, int] | None = None
    ) -> None:
        """As `barrier`, or up to these offsets, however long that takes; `alive` is called now and
        then while it gets nearer."""
        await self._waiters.caught_up(upto or await self._now_in_log(), alive)

    async def submission(self, transaction_id: str, known: Known) -> Envelope:
        """The submitted or imported record that counts."""
        return await self.record(transaction_id, known.partition, known.origin_offset)

    def kept(self, transaction_id: str) -> Envelope | None:
        """The decision that counts, if it was made or read lately."""
        return self._records.decision(transaction_id)

    async def decision(self, transaction_id: str, known: Known) -> Envelope:
        """The decision that counts. Raises NotFoundError while there is none."""
        if known.scored_offset is None:
            raise NotFoundError("decision", transaction_id)
        kept = self.kept(transaction_id)
        return kept or await self.record(transaction_id, known.partition, known.scored_offset)

    async def record(self, transaction_id: str, partition: int, offset: int) -> Envelope:
        """The record at a place that is known. Raises IntegrityError where it is of another id."""
        (envelope,) = await self._records.few(partition, offset, 1, decoded)
        found = about(envelope)
        if found is None or found[0] != transaction_id:
            raise IntegrityError(
                f"{Position(TRANSACTIONS.name, partition, offset)} is not about "
                f"{transaction_id!r} any more: the log is another"
            )
        return envelope

    def learn(self, records: Sequence[Recorded]) -> None:
        """Takes what somebody else has read, where it lies right behind all that is known.

        They are of one partition, by rising offsets; what they do not bring, the tail does.
        """
        if records and records[0].position.offset <= self._waiters.end(
            records[0].position.partition
        ):
            self._read(self._news(records))

    def _tailed(self, chunk: Sequence[Recorded]) -> None:
        news = self._news(chunk)
        self._following.surely(partial(self._recalling.recall_now, news))
        self._read(news)

    def _news(self, chunk: Sequence[Recorded]) -> list[tuple[Position, Envelope | None]]:
        """Without the lock: what is known by now is not decoded."""
        return [
            (recorded.position, readable(recorded))
            for recorded in chunk
            if recorded.position.offset >= self._waiters.end(recorded.position.partition)
        ]

    def _read(self, news: Sequence[tuple[Position, Envelope | None]]) -> None:
        heard: list[_Heard] = []
        # The lock is held for a chunk only, so that requests can look up ids in between.
        with self._lock:
            for place, envelope in news:
                # What became known meanwhile is skipped.
                if 0 <= self._waiters.end(place.partition) <= place.offset:
                    heard += self._take(place, envelope)
        self._tell(heard)

    def _acknowledged(self, envelope: Envelope, appended: asyncio.Future[Position]) -> None:
        if appended.cancelled() or appended.exception() or self._following.closing:
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
        counts = envelope is not None and self._admit(place, envelope)
        self._waiters.advance({place.partition: place.offset + 1})
        return [(place, envelope)] if envelope is not None and counts else []

    def _tell(self, heard: Sequence[_Heard]) -> None:
        for place, envelope in heard:
            for listener in list(self._listeners):
                listener(place, envelope)

    def _admit(self, place: Position, envelope: Envelope) -> bool:
        found = about(envelope)
        if found and self._index.wanted(found[0], place.partition):
            self._index.note(envelope, place.partition, place.offset)
            return False
        if not self._index.admit(envelope, place.partition, place.offset):
            self.void += 1
            return False
        if isinstance(envelope.data, TransactionScored):
            self._records.keep(envelope)
        return True
