"""Scoring agent: decides the submissions that nobody has decided, and raises alerts.

Submissions of mode `submit` are decided as they are read. Those of mode `score` are left for two
seconds to the process that took them; where both decide, the first decision in the log counts.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress

from domain.alerts import alert_of
from domain.errors import (
    LogUnavailableError,
    NotOwnedError,
    RetraceError,
    UnavailableError,
    UndecodableError,
)
from domain.events import TransactionScored, TransactionSubmitted
from eventlog.admission.first_wins import KeptMemory
from eventlog.batch import Batch
from eventlog.codec import Glance, decode, glance
from eventlog.ledger.ledger import Ledger
from eventlog.port import EventLog, Position, Recorded
from eventlog.topics import ALERTS, TRANSACTIONS

logger = logging.getLogger(__name__)

Decide = Callable[[str], Awaitable[object]]

GRACE_SECONDS = 2.0
_AT_ONCE = 16
_POLL_SECONDS = 0.2
_CATCHING_UP_SECONDS = 60.0
# More are left to the ledger's own thread.
_MOST_TOLD = 500
_OURS = (TransactionSubmitted.NAME, TransactionScored.NAME)


class ScoringAgent:
    """`decide` decides by transaction id, and does nothing where that is decided already. `alive`
    is called while our own tail catches up. The ledger follows what is assigned, and no more.

    The position moves on once all of a batch is decided and every alert of it is in the log.
    """

    def __init__(
        self,
        log: EventLog,
        ledger: Ledger,
        positions: KeptMemory,
        decide: Decide,
        source: str,
        clock: Callable[[], int],
        alive: Callable[[], None],
        grace: float = GRACE_SECONDS,
        poll: float = _POLL_SECONDS,
    ) -> None:
        self._log, self._ledger, self._positions = log, ledger, positions
        self._decide, self._source, self._clock = decide, source, clock
        self._alive, self._grace, self._poll = alive, grace, poll
        self._due: dict[str, tuple[int, float]] = {}
        self._slots = asyncio.Semaphore(_AT_ONCE)

    async def assign(self, partitions: set[int]) -> Mapping[int, int]:
        self._ledger.follow(partitions)
        try:
            async with asyncio.timeout(_CATCHING_UP_SECONDS):
                await self._ledger.caught_up(self._alive)
        except TimeoutError as error:
            # It is tried again, and an archive that is waited for is no stall.
            raise LogUnavailableError("our own tail has not caught up with the log") from error
        starts = self._positions.starts(partitions)
        # All that lie above are handled yet.
        for transaction_id, known in (await self._ledger.undecided(starts)).items():
            self._wait_for(transaction_id, known.partition)
        return starts

    async def revoke(self, partitions: set[int]) -> None:
        self._ledger.follow(self._ledger.followed() - partitions)
        self._due = {i: due for i, due in self._due.items() if due[0] not in partitions}

    async def handle(self, batches: Sequence[Batch]) -> None:
        last = {batch.partition: batch.next - 1 for batch in batches}
        for batch in batches:
            if len(batch.records) < _MOST_TOLD:
                # So that it need not wait for its own tail.
                self._ledger.learn(_recorded(batch))
        await self._ledger.caught_up(self._alive, last)
        found = [each for batch in batches for each in _seen(batch)]
        for _, seen, _ in found:
            await self._ledger.recalled(seen.subject)
        await asyncio.gather(*(each for one in found for each in self._work(*one)))
        self._positions.commit({batch.partition: batch.next for batch in batches})

    def _work(self, place: Position, seen: Glance, value: bytes) -> list[Awaitable[object]]:
        """Of a record that counts; most need no decoding for it."""
        known, subject = self._ledger.known(seen.subject), seen.subject
        if known is None or known.partition != place.partition:
            return []
        if seen.name == TransactionScored.NAME:
            # Another one is void: it was made for other content, so the id stays undecided.
            return self._alerts(subject, value) if known.scored_offset == place.offset else []
        undecided = known.scored_offset is None and known.origin_offset == place.offset
        if undecided and decode(value).data.mode == "submit":
            return [self._decide_now(subject, place.partition)]
        if undecided:
            self._wait_for(subject, place.partition)
        return []

    async def decide_overdue(self) -> None:
        """Decides, for ever, what stayed undecided for longer than `grace`."""
        while True:
            await asyncio.sleep(self._poll)
            now = asyncio.get_running_loop().time()
            late = [(i, partition) for i, (partition, due) in self._due.items() if due <= now]
            await asyncio.gather(*(self._decide_late(*each) for each in late))

    def _wait_for(self, transaction_id: str, partition: int) -> None:
        self._due[transaction_id] = (partition, asyncio.get_running_loop().time() + self._grace)

    def _alerts(self, transaction_id: str, value: bytes) -> list[Awaitable[object]]:
        self._due.pop(transaction_id, None)
        scored = self._ledger.kept(transaction_id) or decode(value)
        alert = alert_of(scored, self._source, self._clock())
        return [self._log.append(ALERTS, alert.subject, alert)] if alert else []

    async def _decided(self, transaction_id: str) -> None:
        async with self._slots:
            await self._decide(transaction_id)

    async def _decide_now(self, transaction_id: str, partition: int) -> None:
        try:
            await self._decided(transaction_id)
        except UnavailableError:
            raise
        except RetraceError as error:
            # One transaction that cannot be decided must not keep the others waiting.
            logger.error("transaction %s is decided later: %s", transaction_id, error)
            self._wait_for(transaction_id, partition)

    async def _decide_late(self, transaction_id: str, partition: int) -> None:
        try:
            await self._decided(transaction_id)
            self._due.pop(transaction_id, None)
        except NotOwnedError:
            # Whoever has it now decides it.
            self._due.pop(transaction_id, None)
        except RetraceError as error:
            logger.warning("transaction %s is decided later: %s", transaction_id, error)
            self._wait_for(transaction_id, partition)


def _recorded(batch: Batch) -> list[Recorded]:
    return [
        Recorded(Position(TRANSACTIONS.name, batch.partition, offset), None, value or b"")
        for offset, _, value in batch.records
    ]


def _seen(batch: Batch) -> list[tuple[Position, Glance, bytes]]:
    """Submissions and decisions alone: most of a long log is imported history."""
    found = []
    for offset, _, value in batch.records:
        # Projections dead-letter what cannot be read; here there is nothing to decide.
        with suppress(UndecodableError):
            if (seen := glance(value or b"")).name in _OURS:
                place = Position(TRANSACTIONS.name, batch.partition, offset)
                found.append((place, seen, value or b""))
    return found
