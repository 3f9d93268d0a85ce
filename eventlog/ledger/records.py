"""Records of TRANSACTIONS: as events, where they can be read, and single ones by their place."""

import asyncio
import logging
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from domain.errors import RetraceError
from domain.events import Envelope
from eventlog.codec import decode
from eventlog.port import EventLog, Position, Recorded
from eventlog.topics import TRANSACTIONS

logger = logging.getLogger(__name__)

_FETCHING = 4
_KEPT = 5_000


class StoredRecords:
    """Reads single records beside the event loop; keeps the newest decisions."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._decisions: OrderedDict[str, Envelope] = OrderedDict()
        # Its own threads: those of the event loop may all be waiting for another server.
        self._fetching = ThreadPoolExecutor(_FETCHING, thread_name_prefix="ledger-fetch")

    async def few(self, partition: int, offset: int, count: int) -> list[Recorded]:
        """As EventLog.read_few."""
        read = partial(self._log.read_few, Position(TRANSACTIONS.name, partition, offset), count)
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


def readable(recorded: Recorded) -> Envelope | None:
    """None for what cannot be read: it is skipped, and logged."""
    try:
        return decode(recorded.value)
    except RetraceError as error:
        logger.warning("%s cannot be read and is skipped: %s", recorded.position, error)
        return None
