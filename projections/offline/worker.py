"""Worker of the offline vectors: each transaction finished from all that was known before it.

One process follows all partitions and folds them in the order of known time into states of its
own; a vector is made before its transaction is folded. Rows go to a VectorStore. States are kept in
a file from time to time: after a restart it goes on from there, or folds all again where the file
is lost; rows that are stored are not made again.

Where an event comes too late for its place, rows are stored that lack it. Positions then stand
still, so that a process after this one knows of it, until the rows are made anew from the log.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from domain.errors import NotFoundError, UnavailableError
from domain.features import entity_keys
from domain.features.kernel.arrays import Floats
from domain.times import to_rfc3339
from eventlog.batch import Batch
from eventlog.topics import TRANSACTIONS
from projections.faust.admission import RecordAdmission
from projections.offline.checkpoint import Checkpoint, keep, nothing, taken_up
from projections.offline.entity_states import EntityStates, StateFile
from projections.offline.ideal_fold import Due, IdealFold
from projections.offline.merge import Entry, Merge, entry_of
from projections.offline.port import VectorRows, VectorStore, Written
from projections.offline.remaking import Past, vectors_anew
from projections.offline.skew import Comparison, Skew
from projections.offline.stragglers import Stragglers
from projections.offline.unwritten import Unwritten, together
from projections.ports import Ends

logger = logging.getLogger(__name__)

Hold = Callable[[int, bool], None]
"""Stops (True) and resumes fetching a partition."""
Alive = Callable[[], None]
"""Called while work goes on: one batch may release what waited in all the other partitions."""

_AT_ONCE = 1_000
_HOLD = 20_000
_WRITE_ROWS = 10_000
_LOOK_SECONDS = 0.5
# Keeping is to take a twentieth of the time at most, however many states change.
_KEEP_SHARE = 20


@dataclass(frozen=True, slots=True)
class OfflinePorts:
    """`past` reads the log, `ends` its ends; `states` and `scratch` are files of this worker alone,
    None for memory."""

    store: VectorStore
    admission: RecordAdmission
    ends: Ends
    past: Past
    states: StateFile | None = None
    scratch: Path | None = None


class OfflineVectors:
    """A BatchHandler of TRANSACTIONS that must be given all of its partitions, or none.

    `settle` seconds after a record all that was known before it is expected to have come. States
    are kept every `keep_seconds`, or less often where that takes long.
    """

    def __init__(
        self,
        ports: OfflinePorts,
        settle: float,
        hold: Hold,
        alive: Alive = lambda: None,
        keep_seconds: float = 60.0,
    ) -> None:
        self._ports, self._settle, self._hold, self._alive = ports, settle, hold, alive
        self._keep_seconds = keep_seconds
        self._turn = asyncio.Lock()
        self._forget()

    async def assign(self, partitions: set[int]) -> Mapping[int, int]:
        async with self._turn:
            self._ours = len(partitions) == TRANSACTIONS.partitions
            if self._ours:
                written = await asyncio.to_thread(self._ports.store.take_over)
                new = {p for p, at in written.items() if not at}
                checked = self._ports.admission.open(partitions, new)
                kept, features = self._ports.states, self._ports.store.features
                since = await asyncio.to_thread(taken_up, kept, features, written, checked)
                self._begin(written, since)
                logger.info("goes on from %d events that were folded", since.folded)
                return since.begins
            return dict.fromkeys(partitions, 0)

    def _forget(self) -> None:
        self._ours = False
        written = dict.fromkeys(range(TRANSACTIONS.partitions), 0)
        self._begin(written, nothing(self._ports.store.features, len(written)))

    def _begin(self, written: Mapping[int, int], since: Checkpoint) -> None:
        features = self._ports.store.features
        self._written = written
        self._read, self._settled = since.begins, since.begins
        self._merge = Merge(TRANSACTIONS.partitions, self._settle, since.taken)
        self._states = EntityStates(features.entities, self._ports.states)
        self._fold = IdealFold(features, self._states, since.folded)
        self._skew = Skew(features, since.seen)
        self._kept, self._keep_at = (since.begins, since.folded), 0.0
        self._compared: dict[tuple[int, int], Comparison] = {}
        self._stragglers = Stragglers(written, since.greatest)
        self._rows: list[VectorRows] = []
        self._unwritten = [Unwritten()]
        self._writing: Written | None = None
        self._held: set[int] = set()

    async def handle(self, batches: Sequence[Batch]) -> None:
        async with self._turn:
            if not self._ours:
                return
            for batch in batches:
                await self._add(batch)
            self._ports.admission.commit(batches)
            await self._advance()

    async def _add(self, batch: Batch) -> None:
        # A batch handed in again after a failed write is in the merge already.
        batch = batch.since(self._read[batch.partition])
        if batch.records:
            checked = await self._ports.admission.check(batch)
            arrived = asyncio.get_running_loop().time()
            self._merge.add(entry_of(each, arrived) for each in checked)
            self._read[batch.partition] = batch.next

    async def revoke(self, partitions: set[int]) -> None:
        async with self._turn:
            if partitions:
                self._forget()

    async def watch(self) -> None:
        """Runs beside the batches: moves on past partitions to which nothing is written."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            await self.look()

    async def look(self) -> None:
        moment = asyncio.get_running_loop().time()
        ends = await self._ports.ends()
        async with self._turn:
            if not self._ours:
                return
            for partition, end in enumerate(ends):
                if self._read[partition] >= end:
                    self._merge.idle(partition, moment)
            await self._advance()
            await self._flush()
            await self._keep()

    async def remake(self) -> None:
        """Runs beside the batches: makes vectors anew once stragglers have come."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            await self.make_anew()

    async def make_anew(self) -> None:
        """Returns at once where it is not time. Raises UnavailableError: call it again."""
        async with self._turn:
            stragglers = self._stragglers
            now = asyncio.get_running_loop().time()
            if not self._ours or not stragglers.ripe(now, self._settle):
                return
            # Rows that wait would be written over those made anew.
            await self._flush()
            span, ends = stragglers.begin(), [at for _, at in sorted(self._read.items())]
            settled = len(self._unwritten)
            self._unwritten.append(Unwritten())
        since = to_rfc3339(span.since[0])
        logger.info("events came late, %d so far: vectors since %s anew", stragglers.count, since)
        count = 0
        try:
            past = await self._ports.past(ends)
            made = vectors_anew(self._ports.store.features, past, span, self._ports.scratch)
            while (rows := await asyncio.to_thread(next, made, None)) is not None:
                async with self._turn:
                    if self._stragglers is not stragglers:
                        made.close()
                        return
                    await asyncio.to_thread(self._ports.store.write, Written([rows], {}))
                count += len(rows)
        except NotFoundError as error:
            stragglers.put_back()
            raise UnavailableError("the archive", f"{error}: merged into another file") from error
        except BaseException:
            stragglers.put_back()
            raise
        async with self._turn:
            if self._stragglers is stragglers:
                stragglers.done()
                await self._write(settled)
        logger.info("%d vectors since %s were made anew", count, since)

    async def _advance(self) -> None:
        while await asyncio.to_thread(self._fold_some):
            self._alive()
            if self._states.full:
                await asyncio.to_thread(self._states.trim)
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
                Due(e.event, self._stragglers.take(e), e.overruled, entity_keys(e.event))
                for e in entries
                if e.event
            ]
            made = self._fold.fold(due)
            if len(made):
                self._rows.append(made)
            self._measure_skew(entries, due, made.values)
        return len(taken) == _AT_ONCE

    def _measure_skew(self, entries: Sequence[Entry], due: Sequence[Due], values: Floats) -> None:
        """Compares the served vector of each decision with its ideal one, of the events so far.

        Once each: what is made again or anew was counted with its own position.
        """
        row, asked = 0, self._fold.features.by_entity
        for entry, each in zip(entries, due, strict=True):
            if entry.wanted and entry.served is None:
                # Imported history: no decision was served.
                row += each.wanted
                continue
            keys = {e: key for e, key in each.keys.items() if e in asked}
            if each.wanted:
                if entry.served is not None and entry.offset >= self._written[entry.partition]:
                    found = self._skew.compare(entry.known_time, keys, entry.served, values[row])
                    if found is not None:
                        self._compared[entry.partition, entry.offset] = found
                row += 1
            for key in keys.items():
                self._skew.folded(key, entry.partition, entry.offset, entry.known_time)

    async def _flush(self) -> None:
        latest = self._unwritten[-1]
        compared: list[Comparison] = []
        for partition in self._read:
            written, settled = self._written[partition], list(self._merge.settled(partition))
            if settled:
                self._settled[partition] = settled[-1].offset + 1
            new = [each for each in settled if each.offset >= written]
            if new:
                latest.settle(new)
            compared.extend(
                found
                for entry in (new if self._compared else ())
                if (found := self._compared.pop((partition, entry.offset), None))
            )
        self._skew.count(compared, latest.tallies)
        await self._write(0 if self._stragglers.outstanding else len(self._unwritten))

    async def _keep(self) -> None:
        """Call when all rows are written. What waits for a store, or is to be made anew, is in no
        checkpoint: the next one has it."""
        clock = asyncio.get_running_loop().time
        folded = dict(self._settled), self._fold.folded
        pending = self._stragglers.outstanding or self._compared or self._rows or self._writing
        began, idle = clock(), self._ports.states is None or folded == self._kept
        if pending or idle or began < self._keep_at:
            return
        parts = self._merge, self._stragglers, self._fold, self._skew
        await asyncio.to_thread(keep, self._states, self._settled, *parts)
        self._kept = folded
        self._keep_at = clock() + max(self._keep_seconds, _KEEP_SHARE * (clock() - began))

    async def _write(self, parts: int) -> None:
        """Writes all rows, and progress and skew of the first `parts` that are unwritten.

        What failed is written first, and as it was: the store may have it already.
        """
        await self._write_again()
        whole = together(self._unwritten[:parts])
        self._writing = Written(self._rows, whole.progress, whole.tallies)
        self._rows, self._unwritten = [], self._unwritten[parts:] or [Unwritten()]
        await self._write_again()

    async def _write_again(self) -> None:
        if self._writing is not None and (self._writing.rows or self._writing.progress):
            await asyncio.to_thread(self._ports.store.write, self._writing)
        self._writing = None
