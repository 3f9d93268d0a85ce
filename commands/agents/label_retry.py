"""Label retry: records labels that came before their transaction, as soon as that is known.

They are dead letters, kept by transaction in a file (commands/agents/parked_labels.py). What the
ledger reads wakes those of a transaction that arrives. A look at all after an assignment, and one
at each after ever longer pauses, find what was missed. While nothing happens nothing is done.
Each process keeps all of them, and records those of the partitions that its ledger follows.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence

from commands.agents.parked_labels import Parked, ParkedLabels
from commands.labels.label import LabelTransaction
from domain.errors import NotOwnedError, RetraceError, UnavailableError
from domain.events import Envelope, RecordDeadLettered, TransactionImported, TransactionSubmitted
from domain.times import DAY, MINUTE, SECOND
from eventlog.batch import Batch
from eventlog.codec import decode
from eventlog.ledger.ledger import Ledger
from eventlog.port import Position
from eventlog.topics import DEAD_LETTERS

logger = logging.getLogger(__name__)

Open = Callable[[str], LabelTransaction | None]
"""Opens what a dead letter sealed; None where it holds no label."""
Record = Callable[[LabelTransaction, str], Awaitable[bool]]
"""Records the label of that letter id; False while its transaction is unknown."""

GIVE_UP_US = DEAD_LETTERS.retention_us
"""So long the topic keeps what is kept here."""
_AT_ONCE = 16
_PAGE = 200
_MOST_ARRIVED = 100_000


class LabelRetry:
    """Parks the labels among the dead letters of `reader`.

    A label that could not be recorded within 90 days is given up, with an error in our log.
    """

    def __init__(
        self,
        reader: str,
        parked: ParkedLabels,
        opened: Open,
        record: Record,
        ledger: Ledger,
        clock: Callable[[], int],
    ) -> None:
        self._reader, self._parked = reader, parked
        self._opened, self._record = opened, record
        self._ledger, self._clock = ledger, clock
        self._arrived: list[str] = []
        self._woken = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        # The last transaction of a look at all that are parked; None where none is under way.
        self._looked: str | None = None
        self._some = False
        self._slots = asyncio.Semaphore(_AT_ONCE)

    async def assign(self, partitions: set[int]) -> Mapping[int, int]:
        starts = self._parked.starts(partitions)
        self._look_at_all()
        return starts

    async def revoke(self, partitions: set[int]) -> None:
        """The next assignment names what is left, and forgets these."""

    async def handle(self, batches: Sequence[Batch]) -> None:
        labels = [label for batch in batches for label in self._labels(batch)]
        self._some = self._some or bool(labels)
        ends = {batch.partition: batch.next for batch in batches}
        self._parked.park(labels, ends, self._clock())
        self._woken.set()

    def _labels(self, batch: Batch) -> list[Parked]:
        labels: list[Parked] = []
        for offset, _, value in batch.records:
            try:
                envelope = decode(value or b"")
            except RetraceError:
                continue
            letter = envelope.data
            if not isinstance(letter, RecordDeadLettered) or letter.reader != self._reader:
                continue
            label = self._opened(letter.sealed)
            # What cannot be opened stays in the dead-letter topic for people to look at.
            if label is not None:
                labels.append(
                    Parked(
                        label.transaction_id, batch.partition, offset, envelope.id, letter.sealed,
                        envelope.known_time,
                    )
                )  # fmt: skip
        return labels

    async def retry_due(self) -> None:
        """Records for ever what can be recorded, a few transactions at once."""
        self._loop = asyncio.get_running_loop()
        ends = self._ledger.listen(self._heard)
        try:
            while True:
                self._woken.clear()
                while (some := await self._next()) is not None:
                    await asyncio.gather(*(self._try(each) for each in some))
                    self._parked.save()
                    # Between them the batches of the other topics get their turn.
                    await asyncio.sleep(0)
                await self._wait()
        finally:
            ends()

    def _heard(self, _place: Position, envelope: Envelope) -> None:
        """In the ledger's thread."""
        if self._some and isinstance(envelope.data, TransactionSubmitted | TransactionImported):
            self._arrived.append(envelope.subject)
            if len(self._arrived) in (1, _MOST_ARRIVED) and self._loop is not None:
                self._loop.call_soon_threadsafe(self._woken.set)

    def _look_at_all(self) -> None:
        self._looked, self._some = "", True
        self._woken.set()

    async def _next(self) -> Sequence[str] | None:
        """The transactions of a turn that may be known or are due; None where nothing is to do."""
        if len(self._arrived) >= _MOST_ARRIVED:
            self._arrived.clear()
            self._look_at_all()
        if self._arrived:
            some, self._arrived[:_PAGE] = self._arrived[:_PAGE], []
            return self._parked.waited_for(some)
        if self._looked is not None:
            page = self._parked.after(self._looked, _PAGE)
            self._looked = page[-1] if page else None
            return [each for each in page if await self._known(each)]
        return self._parked.due(self._clock(), _PAGE) or None

    async def _wait(self) -> None:
        due = self._parked.next_due()
        self._some = due is not None
        within = None if due is None else max(0, due - self._clock()) / SECOND
        try:
            async with asyncio.timeout(within):
                await self._woken.wait()
        except TimeoutError:
            return

    async def _try(self, transaction_id: str) -> None:
        labels, longest = self._parked.of(transaction_id), DAY
        if await self._known(transaction_id):
            async with self._slots:
                labels = await self._record_all(labels)
            longest = MINUTE
        old = [each for each in labels if self._clock() - each.since > GIVE_UP_US]
        self._parked.remove(old)
        for each in old if self._ledger.follows(transaction_id) else ():
            days = GIVE_UP_US // DAY
            told = "label %s of transaction %s is given up after %d days"
            logger.error(told, each.letter_id, transaction_id, days)
        self._parked.put_off(transaction_id, self._clock(), longest)

    async def _known(self, transaction_id: str) -> bool:
        try:
            return await self._ledger.recalled(transaction_id) is not None
        except NotOwnedError:
            return False
        except UnavailableError:
            # It may be: it is tried, and again soon.
            return True

    async def _record_all(self, labels: Sequence[Parked]) -> list[Parked]:
        """Those that are left, in their order."""
        left = list(labels)
        for each in labels:
            label = self._opened(each.sealed)
            try:
                done = label is None or await self._record(label, each.letter_id)
            except RetraceError as error:
                logger.warning("label %s is tried again later: %s", each.letter_id, error)
                if isinstance(error, UnavailableError):
                    # Those that were said after it wait for it.
                    return left
                continue
            if done:
                self._parked.remove([each])
                left.remove(each)
        return left
