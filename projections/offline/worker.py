"""Worker of the offline vectors: each transaction finished from all that was known before it.

One process follows all partitions and folds them in the order of known time into states of its
own; a vector is made before its transaction is folded. Rows go to a VectorStore. After a restart
the states are folded again from the beginning; rows that are stored are not made again.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence

from domain.events import TransactionImported, TransactionScored
from domain.features import Entity, decode_versions, entity_keys, feature_event
from domain.features.kernel.arrays import Floats
from eventlog.batch import Batch
from eventlog.topics import TRANSACTIONS
from projections.faust.admission import RecordAdmission
from projections.offline.ideal_fold import Due, IdealFold
from projections.offline.merge import NEVER, Entry, Merge
from projections.offline.port import Progress, VectorRows, VectorStore, Written
from projections.offline.skew import ServedVector, SkewTally
from projections.ports import CheckedRecord, Ends

logger = logging.getLogger(__name__)

Hold = Callable[[int, bool], None]
"""Stops (True) and resumes fetching a partition."""
Alive = Callable[[], None]
"""Called while work goes on: one batch may release what waited in all the other partitions."""

_AT_ONCE = 1_000
_HOLD = 20_000
_WRITE_ROWS = 10_000
_LOOK_SECONDS = 0.5


class OfflineVectors:
    """A BatchHandler of TRANSACTIONS that must be given all of its partitions, or none."""

    def __init__(
        self,
        store: VectorStore,
        admission: RecordAdmission,
        ends: Ends,
        hold: Hold,
        alive: Alive = lambda: None,
    ) -> None:
        self._store, self._admission, self._ends, self._hold = store, admission, ends, hold
        self._alive = alive
        self._turn = asyncio.Lock()
        self._begin(dict.fromkeys(range(TRANSACTIONS.partitions), 0))
        self._ours = False

    async def assign(self, partitions: set[int]) -> Mapping[int, int]:
        async with self._turn:
            self._ours = len(partitions) == TRANSACTIONS.partitions
            if self._ours:
                self._begin(await asyncio.to_thread(self._store.take_over))
                self._admission.open(partitions, {p for p, at in self._written.items() if not at})
            return dict.fromkeys(partitions, 0)

    def _begin(self, written: dict[int, int]) -> None:
        self._written = written
        self._read = dict.fromkeys(written, 0)
        self._merge = Merge(TRANSACTIONS.partitions)
        self._fold = IdealFold(self._store.features)
        self._skew = SkewTally(self._store.features)
        self._rows: list[VectorRows] = []
        self._progress: dict[int, Progress] = {}
        self._held: set[int] = set()

    async def handle(self, batch: Batch) -> None:
        async with self._turn:
            if not self._ours:
                return
            # A batch handed in again after a failed write is in the merge already.
            batch = batch.since(self._read[batch.partition])
            if batch.records:
                checked = await self._admission.check(batch)
                arrived = time.monotonic()
                self._merge.add(_entry(each, arrived) for each in checked)
                self._read[batch.partition] = batch.next
                self._admission.commit(batch)
            await self._advance()

    async def revoke(self, partitions: set[int]) -> None:
        async with self._turn:
            if partitions:
                self._ours = False
                self._begin(dict.fromkeys(range(TRANSACTIONS.partitions), 0))

    async def watch(self) -> None:
        """Runs beside the batches: moves on past partitions to which nothing is written."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            moment = time.monotonic()
            ends = await self._ends()
            async with self._turn:
                if not self._ours:
                    continue
                for partition, end in enumerate(ends):
                    if self._read[partition] >= end:
                        self._merge.idle(partition, moment)
                await self._advance()
                await self._flush()

    async def _advance(self) -> None:
        while await asyncio.to_thread(self._fold_some):
            self._alive()
            if sum(map(len, self._rows)) >= _WRITE_ROWS:
                await self._flush()
        for partition in self._read:
            hurries = self._merge.hurries(partition, _HOLD)
            if hurries != (partition in self._held):
                self._held ^= {partition}
                self._hold(partition, hurries)

    def _fold_some(self) -> bool:
        taken = list(self._merge.take(_AT_ONCE))
        entries = [entry for entry in taken if entry.event is not None]
        if entries:
            due = [
                entry.wanted and entry.offset >= self._written[entry.partition] for entry in entries
            ]
            values = self._fold.fold(
                [
                    Due(e.event, wanted, e.overruled)
                    for e, wanted in zip(entries, due, strict=True)
                    if e.event
                ]
            )
            self._keep([e for e, wanted in zip(entries, due, strict=True) if wanted], values)
            self._measure_skew(entries, due, values)
        return len(taken) == _AT_ONCE

    def _keep(self, entries: Sequence[Entry], values: Floats) -> None:
        events = [entry.event for entry in entries if entry.event is not None]
        if events:
            self._rows.append(
                VectorRows(
                    [event.transaction_id for event in events],
                    [event.time for event in events],
                    [entry.known_time for entry in entries],
                    values,
                )
            )

    def _measure_skew(self, entries: Sequence[Entry], due: Sequence[bool], values: Floats) -> None:
        """Compares the served vector of each decision with its ideal one."""
        row = 0
        for entry, wanted in zip(entries, due, strict=True):
            assert entry.event is not None
            if entry.wanted and entry.served is None:
                # Imported history: no decision was served.
                row += wanted
                continue
            asked = self._fold.features.by_entity
            keys = {e: key for e, key in entity_keys(entry.event).items() if e in asked}
            if wanted:
                if entry.served is not None:
                    ideal = [None if v != v else v for v in values[row].tolist()]
                    self._skew.decided(entry.known_time, keys, entry.served, ideal)
                row += 1
            for key in keys.items():
                self._skew.folded(key, entry.partition, entry.offset, entry.known_time)

    async def _flush(self) -> None:
        for partition in self._read:
            for entry in self._merge.settled(partition):
                if entry.offset >= self._written[partition]:
                    before = self._progress.get(partition, Progress(0))
                    self._progress[partition] = _one_more(before, entry)
        if not self._progress and not self._rows:
            return
        written = Written(self._rows, self._progress, self._skew.tallies)
        await asyncio.to_thread(self._store.write, written)
        self._skew.drain()
        for partition, progress in self._progress.items():
            self._written[partition] = progress.next
        self._rows, self._progress = [], {}


def _entry(record: CheckedRecord, arrived: float) -> Entry:
    place, envelope = record.position, record.envelope
    counts = record.status == "counts" and envelope is not None
    data = envelope.data if envelope else None
    return Entry(
        place.partition,
        place.offset,
        # A record that cannot be decoded has no time: it waits for nothing.
        envelope.known_time if envelope else NEVER,
        arrived,
        record.status,
        feature_event(envelope) if counts and envelope else None,
        counts and isinstance(data, TransactionScored | TransactionImported),
        _served(data) if counts and isinstance(data, TransactionScored) else None,
    )


def _served(data: TransactionScored) -> ServedVector:
    versions = {Entity(entity): decode_versions(text) for entity, text in data.versions.items()}
    return ServedVector(data.feature_set, data.features, versions)


def _one_more(progress: Progress, entry: Entry) -> Progress:
    return Progress(
        entry.offset + 1,
        progress.projected + (entry.status == "counts"),
        progress.void + (entry.status == "void"),
        progress.dead + (entry.status == "dead"),
    )
