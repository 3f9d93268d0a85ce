"""Events of the log as files: by shard of each family and known time, and the period's payments."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from domain.features import FeatureSet
from domain.features.engine import vectors
from domain.features.kernel.arrays import Ints
from domain.features.kernel.row_layout import IS_TRANSACTION, KIND, OFFSET, PARTITION, TIME, Rows
from eventlog.archive.arrays import event_table
from eventlog.archive.counting import mask_of
from eventlog.archive.folder import ArchiveFolder, Link
from eventlog.archive.layout import FOLDED
from eventlog.codec import Carried, carried_by
from eventlog.topics import TRANSACTIONS
from operations.backtest.laying.decided import SERVED, Serving, decided_columns, served_vectors
from operations.backtest.laying.families import families
from projections.replay.rules import Bools
from projections.replay.transactions import fields_of

_FOLDED = ("verdict", "offset", *(field.name for field in FOLDED))
_HELD = ["offset", *(field.name for field in FOLDED), "partition", "value"]
KNOWN, PLACE, TIME_OF, SHARE = "known", "place", "time", "share"
"""Columns of a payment beside its fields: known time, place in the log, time, and the share of an
exploration that it came under."""


@dataclass(frozen=True, slots=True)
class Period:
    """begin <= event time < end, as known at a moment; all in microseconds UTC."""

    begin: int
    end: int
    as_known_at: int

    def wanted(self, rows: Rows) -> Bools:
        """Of `rows` known by then, the transactions of the period."""
        times = rows[:, TIME]
        found: Bools = (rows[:, KIND] == IS_TRANSACTION) & (times >= self.begin)
        return found & (times < self.end)


@dataclass(frozen=True, slots=True)
class Spill:
    """Where events are laid, in how many shards; `at_once` rows are held at a time."""

    folder: Path
    shards: int
    at_once: int
    period: Period
    features: FeatureSet
    attributes: tuple[str, ...]
    serving: Serving


@dataclass(frozen=True, slots=True)
class Reading:
    """Links of the archive at `url`, each with the offset that it is read to, under a `name`."""

    spill: Spill
    name: str
    url: str
    links: tuple[tuple[Link, int], ...]


@dataclass(frozen=True, slots=True)
class Block:
    """Events in any order; `carried` are those of the payments of the period, in their order."""

    rows: Rows
    known: Ints
    carried: Callable[[Bools], Sequence[Carried]]


def places_of(rows: Rows) -> Ints:
    """The place in the log of each row, as one number."""
    return (rows[:, PARTITION] << 56) | rows[:, OFFSET]


def known_order_of(rows: Rows, known: Ints) -> Ints:
    """Row numbers by (known time, partition, offset)."""
    return np.lexsort((rows[:, OFFSET], rows[:, PARTITION], known))


@dataclass(frozen=True, slots=True)
class Laid:
    """A block that lies in files, and how many transactions of the period it has."""

    name: str
    payments: int


def spill_archived(task: Reading) -> list[Laid]:
    """Raises NotFoundError where a file is gone, OSError, and what `ArchiveFolder.read` raises."""
    return [
        laid
        for number, block in enumerate(_archived(task))
        for laid in lay_block(task.spill, f"{task.name}-{number}", block)
    ]


def _archived(task: Reading) -> Iterator[Block]:
    folder = ArchiveFolder(task.url, TRANSACTIONS)
    held: list[pa.Table] = []
    size = 0
    for link, end in task.links:
        # What nobody asks for is not decompressed.
        times = folder.bounds(link.piece, "time")
        period = task.spill.period
        inside = times is not None and times[0] < period.end and times[1] >= period.begin
        columns = (*_FOLDED, "value") if inside else _FOLDED
        for table in folder.blocks(link.piece, columns):
            kept = _counting(table, link, end)
            if not inside:
                kept = kept.append_column("value", pa.nulls(len(kept), pa.binary()))
            # Of one schema, whether or not a file was asked for its values.
            held.append(pa.table({name: kept[name] for name in _HELD}))
            size += len(kept)
            if size >= task.spill.at_once:
                yield _block(held)
                held, size = [], 0
    if size:
        yield _block(held)


def _counting(table: pa.Table, link: Link, end: int) -> pa.Table:
    kept = pc.and_(mask_of(table, None, None), pc.is_valid(table["kind"]))
    kept = pc.and_(kept, pc.greater_equal(table["offset"], link.begin))
    found = table.filter(pc.and_(kept, pc.less(table["offset"], end))).drop_columns(["verdict"])
    return found.append_column("partition", pa.repeat(link.piece.partition, len(found)))


def _block(held: Sequence[pa.Table]) -> Block:
    table = pa.concat_tables(held)
    values = table["value"]
    made = event_table(table.drop_columns(["value"]))

    def carried(wanted: Bools) -> list[Carried]:
        return [carried_by(value) for value in values.filter(pa.array(wanted)).to_pylist()]

    return Block(made.rows, made.known, carried)


def lay_block(spill: Spill, name: str, block: Block) -> list[Laid]:
    """None where nothing of it was known by then. Raises OSError."""
    known_by_then = block.known <= spill.period.as_known_at
    wanted = spill.period.wanted(block.rows) & known_by_then
    taken = np.flatnonzero(known_by_then)
    if not len(taken):
        return []
    order = taken[known_order_of(block.rows[taken], block.known[taken])]
    rows, known = block.rows[order], block.known[order]
    for family in families(spill.features.entities):
        mine = family.members(rows, wanted[order])
        shards = family.shards(rows[mine], spill.shards)
        by_shard = np.argsort(shards, kind="stable")
        starts = np.searchsorted(shards[by_shard], np.arange(spill.shards + 1))
        mine = mine[by_shard]
        for what, array in (("rows", rows[mine]), ("known", known[mine]), ("starts", starts)):
            np.save(spill.folder / f"{name}.{family.name}.{what}.npy", array, allow_pickle=False)
    _lay_payments(spill, name, block, wanted, order)
    return [Laid(name, int(wanted.sum()))]


def _lay_payments(spill: Spill, name: str, block: Block, wanted: Bools, order: Ints) -> None:
    carried = block.carried(wanted)
    fields = fields_of([each.transaction for each in carried], spill.attributes)
    shares = [None if each.exploration is None else each.exploration.share for each in carried]
    # The rows of `fields` come as the block's do; they are laid down in known order.
    mine = order[wanted[order]]
    taken = (np.cumsum(wanted) - 1)[mine]
    rows = block.rows[mine]
    table = fields.append_column(SHARE, pa.array(shares, pa.int64())).take(taken)
    in_order = [carried[number] for number in taken.tolist()]
    sets = spill.serving.sets
    decided = decided_columns(in_order, sets)
    for column in decided.column_names:
        table = table.append_column(column, decided[column])
    served = served_vectors(in_order, spill.features, sets)
    if len(served):
        np.save(spill.folder / f"{name}.{SERVED}.npy", served, allow_pickle=False)
    for column, array in (
        (KNOWN, block.known[mine]), (PLACE, places_of(rows)), (TIME_OF, rows[:, TIME])
    ):  # fmt: skip
        table = table.append_column(column, pa.array(array))
    with pa.ipc.new_file(str(spill.folder / f"{name}.payments"), table.schema) as writer:
        writer.write_table(table.combine_chunks())
    alone = FeatureSet(f for f in spill.features.features if f.entity is None)
    every = np.arange(len(rows), dtype=np.int64)
    values = vectors(alone, {}, rows, every, threads=1)
    np.save(spill.folder / f"{name}.request.npy", values, allow_pickle=False)
