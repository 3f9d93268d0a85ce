"""Owns the ideal vectors: each transaction finished from all that was known before it.

One process follows all partitions and folds them in the order of known time into states of its
own; a vector is made before its transaction is folded. Rows lie in a VectorStore. After a restart
the states are folded again from the beginning, and rows that are there are not made again.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

from domain.events import TransactionImported, TransactionScored
from domain.features import Entity, EntityState, entity_keys, feature_event, finish
from eventlog.topics import TRANSACTIONS
from projections.feature_vectors import Progress, VectorRow, VectorStore
from projections.ports import Judged
from projections.workers.batches import Batch
from projections.workers.judging import Judge
from projections.workers.merge import NEVER, Entry, Merge

logger = logging.getLogger(__name__)

Ends = Callable[[], Awaitable[Sequence[int]]]
"""The offset after the last record of each partition. Raises UnavailableError."""
Hold = Callable[[int, bool], None]
"""Stops (True) and resumes fetching a partition."""
Alive = Callable[[], None]
"""Is told that work goes on: one batch may set free what waited in all the other partitions."""

_AT_ONCE = 500
_HOLD = 20_000
_WRITE_ROWS = 2_000
_LOOK_SECONDS = 0.5


class Offline:
    """A BatchHandler of TRANSACTIONS that must be given all of its partitions, or none."""

    def __init__(
        self,
        store: VectorStore,
        judge: Judge,
        ends: Ends,
        hold: Hold,
        alive: Alive = lambda: None,
    ) -> None:
        self._store, self._judge, self._ends, self._hold = store, judge, ends, hold
        self._alive = alive
        self._turn = asyncio.Lock()
        self._begin(dict.fromkeys(range(TRANSACTIONS.partitions), 0))
        self._ours = False

    async def assign(self, partitions: set[int]) -> Mapping[int, int]:
        async with self._turn:
            self._ours = len(partitions) == TRANSACTIONS.partitions
            if self._ours:
                self._begin(await asyncio.to_thread(self._store.take_over))
                self._judge.open(partitions, {p for p, at in self._written.items() if not at})
            return dict.fromkeys(partitions, 0)

    def _begin(self, written: dict[int, int]) -> None:
        self._written = written
        self._read = dict.fromkeys(written, 0)
        self._merge = Merge(TRANSACTIONS.partitions)
        self._states: dict[tuple[Entity, str], EntityState] = {}
        self._rows: list[VectorRow] = []
        self._progress: dict[int, Progress] = {}
        self._held: set[int] = set()

    async def handle(self, batch: Batch) -> None:
        async with self._turn:
            if not self._ours:
                return
            # Handed in again after a failed write, it is in the merge already.
            batch = batch.since(self._read[batch.partition])
            if batch.records:
                judged = await self._judge.judge(batch)
                arrived = time.monotonic()
                self._merge.add(_entry(each, arrived) for each in judged)
                self._read[batch.partition] = batch.next
                self._judge.keep(batch)
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
            if len(self._rows) >= _WRITE_ROWS:
                await self._flush()
        for partition in self._read:
            hurries = self._merge.hurries(partition, _HOLD)
            if hurries != (partition in self._held):
                self._held ^= {partition}
                self._hold(partition, hurries)

    def _fold_some(self) -> bool:
        taken = 0
        for entry in self._merge.take(_AT_ONCE):
            taken += 1
            due = entry.offset >= self._written[entry.partition]
            if entry.event is not None:
                self._fold(entry, due)
        return taken == _AT_ONCE

    def _fold(self, entry: Entry, due: bool) -> None:
        event, transaction = entry.event, entry.transaction
        assert event is not None
        states: dict[Entity, EntityState] = {}
        for entity, key in entity_keys(event).items():
            state = self._states.get((entity, key))
            if state is None:
                state = self._states[(entity, key)] = EntityState(entity, key)
            states[entity] = state
        if due and transaction is not None:
            values = finish(states, transaction)
            identity = transaction.transaction_id
            self._rows.append(VectorRow(identity, transaction.timestamp, entry.known_time, values))
        for state in states.values():
            state.fold(entry.partition, entry.offset, event)

    async def _flush(self) -> None:
        for partition in self._read:
            for entry in self._merge.settled(partition):
                if entry.offset >= self._written[partition]:
                    before = self._progress.get(partition, Progress(0))
                    self._progress[partition] = _one_more(before, entry)
        if not self._progress and not self._rows:
            return
        await asyncio.to_thread(self._store.write, self._rows, self._progress)
        for partition, progress in self._progress.items():
            self._written[partition] = progress.next
        self._rows, self._progress = [], {}


def _entry(judged: Judged, arrived: float) -> Entry:
    place, envelope = judged.position, judged.envelope
    counts = judged.verdict == "counts" and envelope is not None
    event = feature_event(envelope) if counts and envelope else None
    data = envelope.data if envelope else None
    due = counts and isinstance(data, TransactionScored | TransactionImported)
    return Entry(
        place.partition,
        place.offset,
        # A record that cannot be read has no time: it goes as soon as it is its turn.
        envelope.known_time if envelope else NEVER,
        arrived,
        judged.verdict,
        event,
        data.transaction if due and data else None,
    )


def _one_more(progress: Progress, entry: Entry) -> Progress:
    return Progress(
        entry.offset + 1,
        progress.projected + (entry.verdict == "counts"),
        progress.void + (entry.verdict == "void"),
        progress.dead + (entry.verdict == "dead"),
    )
