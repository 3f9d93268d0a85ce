"""Archive worker: writes the log to Parquet files and resumes from what they hold.

Records are gathered per partition and written when they are many, or when they have waited long.
A file is whole or not there: a crash loses only what was not written, and that is read again.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from domain.errors import IntegrityError
from eventlog.archive.folder import ArchiveFolder, positions
from eventlog.archive.identity import ReadOne, check_same_log
from eventlog.archive.layout import SCHEMA, Piece
from eventlog.archive.writing import ArchivedRecord, ArchivedRow, row_of, table_of_rows
from eventlog.batch import Batch
from projections.faust.admission import RecordAdmission
from projections.ports import CheckedRecord, Ends

_LOOK_SECONDS = 0.5
# As columns records take a tenth of the memory; to make columns of a few costs as much as of many.
_AS_ROWS = 500


@dataclass(frozen=True, slots=True)
class Cut:
    """When a file is closed: at so many records, so many bytes, or so old a first record."""

    records: int = 50_000
    size: int = 16 << 20
    seconds: float = 60.0


@dataclass(slots=True)
class _Open:
    """The records of [first, next), not written yet; `first` may lie before the first of them.

    `before` is the piece that ends where this begins. `fresh` until a file holds something: what
    the log no longer has by then was never to be archived.
    """

    first: int
    next: int
    fresh: bool
    before: Piece | None = None
    tables: list[pa.Table] = field(default_factory=list)
    rows: list[ArchivedRow] = field(default_factory=list)
    records: int = 0
    size: int = 0
    since: float = 0.0


class Archiver:
    """A BatchHandler of TRANSACTIONS."""

    def __init__(
        self,
        folder: ArchiveFolder,
        admission: RecordAdmission,
        cut: Cut,
        ends: Ends,
        read_one: ReadOne,
    ) -> None:
        self._folder, self._admission, self._cut, self._ends = folder, admission, cut, ends
        self._read_one = read_one
        self._open: dict[int, _Open] = {}
        self._turns: dict[int, asyncio.Lock] = {}

    async def assign(self, partitions: set[int]) -> Mapping[int, int]:
        await asyncio.to_thread(self._folder.sweep)
        pieces = await asyncio.to_thread(self._folder.pieces)
        reached, ends = positions(pieces), await self._ends()
        await asyncio.to_thread(check_same_log, self._folder, pieces, ends, self._read_one)
        closing = {(piece.partition, piece.last + 1): piece for piece in pieces}
        self._open = {}
        for partition in partitions:
            at = reached.get(partition, 0)
            before = closing.get((partition, at))
            self._open[partition] = _Open(at, at, partition not in reached, before)
        self._turns = {p: asyncio.Lock() for p in partitions}
        remembered = self._admission.open(partitions, {p for p in partitions if not reached.get(p)})
        return {p: min(each.first, remembered.get(p, 0)) for p, each in self._open.items()}

    async def handle(self, batches: Sequence[Batch]) -> None:
        for batch in batches:
            checked = await self._admission.check(batch)
            async with self._turns[batch.partition]:
                held = self._open[batch.partition]
                if batch.next > held.next:
                    if batch.first > held.next and not held.fresh:
                        raise self._lost(held.next, batch)
                    _gather(held, batch, checked)
                if len(held.rows) >= _AS_ROWS:
                    await asyncio.to_thread(_make_columns, held)
                if self._full(held):
                    await self._write(batch.partition)
        self._admission.commit(batches)

    async def revoke(self, partitions: set[int]) -> None:
        for partition in partitions:
            self._open.pop(partition, None)

    async def watch(self) -> None:
        """Runs beside the batches: writes what has waited long enough."""
        while True:
            await asyncio.sleep(min(_LOOK_SECONDS, self._cut.seconds))
            for partition in list(self._open):
                async with self._turns[partition]:
                    held = self._open.get(partition)
                    if held and held.records and self._old(held):
                        await self._write(partition)

    def _old(self, held: _Open) -> bool:
        return time.monotonic() - held.since >= self._cut.seconds

    def _full(self, held: _Open) -> bool:
        return held.records >= self._cut.records or held.size >= self._cut.size

    async def _write(self, partition: int) -> None:
        held = self._open[partition]
        written = await asyncio.to_thread(self._written, partition, held)
        # Another worker may have the partition by now; the file is correct all the same.
        if self._open.get(partition) is held:
            self._open[partition] = written

    def _written(self, partition: int, held: _Open) -> _Open:
        """Adds a piece; a small one takes the place of the one before it, if that is small too."""
        piece, table, before = self._piece(partition, held)
        self._folder.add(piece, table.unify_dictionaries())
        if before is not None:
            # Readers may see both for a moment: they read each offset once.
            self._folder.remove(before)
        return _Open(held.next, held.next, False, piece)

    def _piece(self, partition: int, held: _Open) -> tuple[Piece, pa.Table, Piece | None]:
        """What to add, and the earlier piece that it replaces."""
        _make_columns(held)
        table, before = pa.concat_tables(held.tables), held.before
        if before and held.next - before.first <= self._cut.records:
            old = self._folder.read(before, SCHEMA.names)
            if old["value"].nbytes + held.size <= self._cut.size:
                whole = Piece(partition, before.first, held.next - 1)
                return whole, pa.concat_tables([old, table]), before
        # Offsets that the log no longer has, before its first record, belong to the piece.
        return Piece(partition, held.first, held.next - 1), table, None

    def _lost(self, expected: int, batch: Batch) -> IntegrityError:
        return IntegrityError(
            f"offsets {expected} to {batch.first - 1} of {batch.topic}/{batch.partition} are "
            f"neither in the log any more nor in the archive {self._folder.place}: restore its "
            "files; to go on without them, move the archive away, and a new one begins where the "
            "log does"
        )


def _gather(held: _Open, batch: Batch, checked: Sequence[CheckedRecord]) -> None:
    records = [
        ArchivedRecord(offset, key, value or b"", each.status, each.envelope)
        for (offset, key, value), each in zip(batch.records, checked, strict=True)
        if offset >= held.next
    ]
    if not held.records:
        held.since = time.monotonic()
    held.rows += map(row_of, records)
    held.records += len(records)
    held.size += sum(len(each.value) for each in records)
    held.next = batch.next


def _make_columns(held: _Open) -> None:
    if held.rows:
        held.tables.append(table_of_rows(held.rows))
        held.rows = []
