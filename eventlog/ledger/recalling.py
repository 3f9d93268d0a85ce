"""Recalling: what is known of an id whose places alone are at hand is read from the log, there."""

import asyncio
import logging
import threading
from collections.abc import Mapping, Sequence
from functools import partial

from domain.errors import LogUnavailableError, NotFoundError, RetraceError
from domain.events import Envelope
from eventlog.admission.first_wins import Known
from eventlog.index.entries import SCORED, SUBMITTED, about, joined, offset_of, undecided
from eventlog.index.id_index import IdIndex
from eventlog.ledger.records import StoredRecords, decoded
from eventlog.port import Position

logger = logging.getLogger(__name__)

_AT_ONCE = 16
_LIVE = SUBMITTED, SCORED


class Recalling:
    """`lock` is that of the index; it is never held while the log is read."""

    def __init__(self, index: IdIndex, lock: threading.Lock, records: StoredRecords) -> None:
        self._index, self._lock, self._records = index, lock, records

    def known(self, transaction_id: str, partition: int) -> Known | None:
        """Raises LogUnavailableError for an id that is to be recalled first."""
        with self._lock:
            if not self._index.opened(partition):
                return None
            if self._index.wanted(transaction_id, partition):
                raise LogUnavailableError(f"{transaction_id!r} is to be read from the log first")
            return self._index.known(transaction_id)

    async def recall(self, transaction_id: str, partition: int) -> None:
        """Returns once the id is at hand. Raises LogUnavailableError."""
        while wanted := self._wanted(transaction_id, partition):
            try:
                read = await self._records.about(partition, wanted)
            except NotFoundError as error:
                raise LogUnavailableError(
                    f"what was said of {transaction_id!r} is neither in the log nor in its archive "
                    f"({error}): restore the archive"
                ) from error
            self._remember(transaction_id, partition, wanted, read)

    def recall_now(self, news: Sequence[tuple[Position, Envelope | None]]) -> None:
        """Of what was read just now, the ids of which something may count that others wait for.

        A copy of history or a label needs no recalling: its place is kept. Blocking.
        """
        for place, envelope in news:
            found = envelope and about(envelope)
            if not found or found[1] not in _LIVE:
                continue
            try:
                self._recall_now(found[0], place.partition)
            except LogUnavailableError:
                raise
            except RetraceError as error:
                # Whoever asks for it is told; all others do not wait for it.
                logger.warning("%s: what was said of %r cannot be read", error, found[0])

    def _recall_now(self, transaction_id: str, partition: int) -> None:
        while wanted := self._wanted(transaction_id, partition):
            read = self._records.about_now(partition, wanted)
            self._remember(transaction_id, partition, wanted, read)

    async def undecided(self, below: Mapping[int, int]) -> dict[str, Known]:
        """Submissions below an offset of each partition that count and have no decision yet."""
        found: dict[str, Known] = {}
        for partition, end in below.items():
            offsets = [each for each in self._undecided(partition) if each < end]
            for start in range(0, len(offsets), _AT_ONCE):
                for subject in await self._subjects(partition, offsets[start : start + _AT_ONCE]):
                    await self.recall(subject, partition)
                    known = self.known(subject, partition)
                    if known and known.scored_offset is None and known.mode != "import":
                        found[subject] = known
        return found

    def _undecided(self, partition: int) -> list[int]:
        with self._lock:
            if not self._index.opened(partition):
                return []
            places = self._index.places(partition)
            places.settle(1)
            levels = list(places.levels)
        return undecided(joined(levels))

    async def _subjects(self, partition: int, offsets: Sequence[int]) -> list[str]:
        few = partial(self._records.few, partition)
        read = await asyncio.gather(*(few(each, 1, decoded) for each in offsets))
        return [envelope.data.transaction.transaction_id for (envelope,) in read]

    def _wanted(self, transaction_id: str, partition: int) -> list[int]:
        """Offsets that are to be read; none where it is at hand."""
        with self._lock:
            if not self._index.opened(partition):
                return []
            wanted = self._index.wanted(transaction_id, partition)
        return [offset_of(each) for each in wanted or ()]

    def _remember(
        self,
        transaction_id: str,
        partition: int,
        offsets: Sequence[int],
        read: Sequence[tuple[int, Envelope]],
    ) -> None:
        with self._lock:
            wanted = self._index.wanted(transaction_id, partition)
            # What was said meanwhile is read too.
            if wanted and [offset_of(each) for each in wanted] == list(offsets):
                self._index.remember(transaction_id, partition, read)
