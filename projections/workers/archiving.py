"""Owns the worker that writes the log to its archive; where it goes on, the archive's files tell.

Records are gathered per partition and written when they are many, or when they have waited long:
a file is whole or not there, so a crash costs only what was not written, and it is read again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from eventlog.archive.folder import ArchiveFolder, positions
from eventlog.archive.layout import SCHEMA, Piece
from eventlog.archive.writing import ArchivedRecord, table_of
from projections.workers.batches import Batch
from projections.workers.judging import Judge

_LOOK_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Cut:
    """When a file is closed: at so many records, so many bytes, or so old a first record."""

    records: int = 50_000
    size: int = 64 << 20
    seconds: float = 60.0


@dataclass(slots=True)
class _Open:
    """What of a partition is not written yet; `first` may lie before its first record.

    `before` is the piece that ends where this begins.
    """

    first: int
    before: Piece | None = None
    records: list[ArchivedRecord] = field(default_factory=list)
    size: int = 0
    since: float = 0.0


class Archiving:
    """A BatchHandler of TRANSACTIONS."""

    def __init__(self, folder: ArchiveFolder, judge: Judge, cut: Cut) -> None:
        self._folder, self._judge, self._cut = folder, judge, cut
        self._open: dict[int, _Open] = {}
        self._turns: dict[int, asyncio.Lock] = {}

    async def assign(self, partitions: set[int]) -> Mapping[int, int]:
        pieces = await asyncio.to_thread(self._folder.pieces)
        reached = positions(pieces)
        ends = {(piece.partition, piece.last + 1): piece for piece in pieces}
        self._open = {
            p: _Open(reached.get(p, 0), ends.get((p, reached.get(p, 0)))) for p in partitions
        }
        self._turns = {p: asyncio.Lock() for p in partitions}
        remembered = self._judge.open(partitions, {p for p in partitions if p not in reached})
        return {p: min(each.first, remembered.get(p, 0)) for p, each in self._open.items()}

    async def handle(self, batch: Batch) -> None:
        judged = await self._judge.judge(batch)
        async with self._turns[batch.partition]:
            held = self._open[batch.partition]
            reached = held.records[-1].offset + 1 if held.records else held.first
            if not held.records:
                held.since = time.monotonic()
            for (offset, key, value), each in zip(batch.records, judged, strict=True):
                if offset >= reached:
                    content = value or b""
                    held.records.append(
                        ArchivedRecord(offset, key, content, each.verdict, each.envelope)
                    )
                    held.size += len(content)
            if self._full(held):
                await self._write(batch.partition)
        self._judge.keep(batch)

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
        return len(held.records) >= self._cut.records or held.size >= self._cut.size

    async def _write(self, partition: int) -> None:
        held = self._open[partition]
        self._open[partition] = await asyncio.to_thread(self._written, partition, held)

    def _written(self, partition: int, held: _Open) -> _Open:
        """Adds a piece; a small one takes the place of the one before it, if that is small too."""
        last, table, before = held.records[-1].offset, table_of(held.records), held.before
        # Offsets that the log no longer has, before its first record, belong to the piece.
        piece = Piece(partition, held.first, last)
        if before and last - before.first < self._cut.records and before.last + 1 == held.first:
            table = pa.concat_tables([self._folder.read(before, SCHEMA.names), table])
            piece = Piece(partition, before.first, last)
            self._folder.add(piece, table.unify_dictionaries())
            # Readers may see both for a moment: they read each offset once.
            self._folder.remove(before)
        else:
            self._folder.add(piece, table)
        return _Open(last + 1, before=piece)
