"""Records of TRANSACTIONS: as events, where they can be read, and single ones by their place."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from domain.errors import NotFoundError, RetraceError
from domain.events import Envelope
from eventlog.codec import decode
from eventlog.index.ports import Archived
from eventlog.port import EventLog, Position, Recorded
from eventlog.topics import TRANSACTIONS

T = TypeVar("T")

logger = logging.getLogger(__name__)

_FETCHING = 4
_KEPT = 1_000


class StoredRecords:
    """Reads single records beside the event loop, from the archive what the log has no more; keeps
    the newest decisions."""

    def __init__(self, log: EventLog, archived: Archived) -> None:
        self._log, self._archived = log, archived
        self._decisions: OrderedDict[str, Envelope] = OrderedDict()
        # Its own threads: those of the event loop may all be waiting for another server.
        self._fetching = ThreadPoolExecutor(_FETCHING, thread_name_prefix="ledger-fetch")

    async def few(
        self, partition: int, offset: int, count: int, made: Callable[[list[Recorded]], T]
    ) -> T:
        """What is `made`, beside the event loop, of what EventLog.read_few returns."""
        return await self._beside(lambda: made(self._few(partition, offset, count)))

    async def about(self, partition: int, offsets: Sequence[int]) -> list[tuple[int, Envelope]]:
        """The events at these offsets. Raises NotFoundError where neither the log nor the archive
        has one."""
        return await self._beside(partial(self.about_now, partition, offsets))

    def about_now(self, partition: int, offsets: Sequence[int]) -> list[tuple[int, Envelope]]:
        """As `about`. Blocking."""
        found: dict[int, Envelope | None] = {}
        for offset in offsets:
            if offset not in found:
                # A submission and its decision most often lie side by side.
                for recorded in self._few(partition, offset, 2):
                    found[recorded.position.offset] = readable(recorded)
        return [(offset, each) for offset in offsets if (each := found[offset])]

    def _few(self, partition: int, offset: int, count: int) -> list[Recorded]:
        try:
            return self._log.read_few(Position(TRANSACTIONS.name, partition, offset), count)
        except NotFoundError:
            return [self._archived.record(partition, offset)]

    async def _beside(self, read: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._fetching, read)

    def keep(self, decision: Envelope) -> None:
        self._decisions[decision.subject] = decision
        if len(self._decisions) > _KEPT:
            self._decisions.popitem(last=False)

    def decision(self, transaction_id: str) -> Envelope | None:
        """None where it is not kept any more."""
        return self._decisions.get(transaction_id)

    def close(self) -> None:
        self._fetching.shutdown(wait=False, cancel_futures=True)


def decoded(records: Sequence[Recorded]) -> list[Envelope]:
    """Raises UndecodableError."""
    return [decode(each.value) for each in records]


def readable(recorded: Recorded) -> Envelope | None:
    """None for what cannot be read: it is skipped, and logged."""
    try:
        return decode(recorded.value)
    except RetraceError as error:
        logger.warning("%s cannot be read and is skipped: %s", recorded.position, error)
        return None
