"""Events of the log as files: by shard of each family and known time, and the period's payments."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from domain.events import Exploration
from domain.features import FeatureSet
from domain.features.engine import vectors
from domain.features.kernel.arrays import Ints
from domain.features.kernel.row_layout import IS_TRANSACTION, KIND, OFFSET, PARTITION, TIME, Rows
from eventlog.archive.arrays import rows_of
from eventlog.archive.counting import mask_of
from eventlog.archive.folder import ArchiveFolder, Link
from eventlog.archive.layout import FOLDED
from eventlog.codec import Carried, Explored, carried_by, carried_rest_by
from eventlog.topics import TRANSACTIONS
from operations.backtest.laying.decided import SERVED, Serving, served_vectors, with_decided
from operations.backtest.laying.families import families
from projections.replay.rules import Bools
from projections.replay.transactions import archived_fields

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
    """Events in any order; `fields` are those of the payments of the period, in their order, as
    `projections.replay.transactions.fields_of` has them, and `SHARE`; and what was decided live of
    each, None of imported history."""

    rows: Rows
    known: Ints
    fields: Callable[[Bools], tuple[pa.Table, Sequence[Carried | None]]]


def places_of(rows: Rows) -> Ints:
    """The place in the log of each row, as one number."""
    return (rows[:, PARTITION] << 56) | rows[:, OFFSET]


def known_order_of(rows: Rows, known: Ints) -> Ints:
    """Row numbers by (known time, partition, offset)."""
    places = places_of(rows)
    # Mostly they come so: as an import wrote them, or block after block.
    rises = (known[1:] > known[:-1]) | (known[1:] == known[:-1]) & (places[1:] > places[:-1])
    if rises.all():
        return np.arange(len(known), dtype=np.int64)
    return np.lexsort((places, known))


@dataclass(frozen=True, slots=True)
class Laid:
    """A block that lies in files, and how many transactions of the period it has; `starts` says
    where the rows of each shard begin, and the last ends, by family."""

    name: str
    payments: int
    starts: Mapping[str, Ints]


@dataclass(frozen=True, slots=True)
class Run:
    """Rows [begin, end) of a block's file of a family; they lie by known time."""

    block: str
    begin: int
    end: int


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
                yield _block(task.spill, held)
                held, size = [], 0
    if size:
        yield _block(task.spill, held)


def _counting(table: pa.Table, link: Link, end: int) -> pa.Table:
    kept = pc.and_(mask_of(table, None, None), pc.is_valid(table["kind"]))
    kept = pc.and_(kept, pc.greater_equal(table["offset"], link.begin))
    kept = pc.and_(kept, pc.less(table["offset"], end))
    # Values are long: they are not copied where nothing is left out.
    found = (table if pc.all(kept).as_py() else table.filter(kept)).drop_columns(["verdict"])
    return found.append_column("partition", pa.repeat(link.piece.partition, len(found)))


def _block(spill: Spill, held: Sequence[pa.Table]) -> Block:
    table = pa.concat_tables(held).unify_dictionaries()
    rows, known = rows_of(table)

    def fields(wanted: Bools) -> tuple[pa.Table, Sequence[Carried | None]]:
        of_them = table.filter(pa.array(wanted))
        values = of_them["value"].to_pylist()
        found = [carried_rest_by(value) for value in values]
        given = archived_fields(of_them, [each.transaction for each in found], spill.attributes)
        shares = shares_of(each.exploration for each in found)
        decided = [
            None if each.policy_version is None else carried_by(value)
            for each, value in zip(found, values, strict=True)
        ]
        return given.append_column(SHARE, shares), decided

    return Block(rows, known, fields)


def shares_of(found: Iterable[Exploration | Explored | None]) -> pa.Array:
    return pa.array([None if each is None else each.share for each in found], pa.int64())


def lay_block(spill: Spill, name: str, block: Block) -> list[Laid]:
    """None where nothing of it was known by then. Raises OSError."""
    known_by_then = block.known <= spill.period.as_known_at
    wanted = spill.period.wanted(block.rows) & known_by_then
    order = known_order_of(block.rows, block.known)
    order = order[known_by_then[order]]
    if not len(order):
        return []
    starts = {}
    for family in families(spill.features.entities):
        mine = order[family.members(block.rows, wanted)[order]]
        shards = family.shards(block.rows[mine, family.column], spill.shards)
        # Of few bits, so that they are sorted by counting.
        by_shard = np.argsort(shards, kind="stable")
        edges = np.arange(spill.shards + 1).astype(shards.dtype)
        starts[family.name] = np.searchsorted(shards[by_shard], edges)
        starts[family.name][-1] = len(mine)
        mine = mine[by_shard]
        stem = spill.folder / f"{name}.{family.name}"
        block.rows[mine].tofile(f"{stem}.rows")
        block.known[mine].tofile(f"{stem}.known")
    _lay_payments(spill, name, block, wanted, order)
    return [Laid(name, int(wanted.sum()), starts)]


def _lay_payments(spill: Spill, name: str, block: Block, wanted: Bools, order: Ints) -> None:
    # The rows of `fields` come as the block's do; they are laid down in known order.
    mine = order[wanted[order]]
    taken = (np.cumsum(wanted) - 1)[mine]
    rows = block.rows[mine]
    table, decided = block.fields(wanted)
    in_order = [decided[number] for number in taken.tolist()]
    table = with_decided(table.take(taken), in_order, spill.serving.sets)
    served = served_vectors(in_order, spill.features, spill.serving.sets)
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
    values.tofile(spill.folder / f"{name}.request")
