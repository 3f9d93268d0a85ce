"""A period laid down as columns in files: read, folded shard by shard, put together by slices.

1. The log is read file by file. Its events go to files, by shard and known time.
2. Each shard by itself gives the labels of its payments, then the features of its entities.
3. Slices of known time are put together one after the other.

What is held at a time is bounded by a number of bytes, whatever the period is long. Values, labels
and order hang on neither shards nor slices, nor on who carries out which.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa

from domain.errors import NotFoundError, UnavailableError
from domain.features import FeatureSet, feature_event
from eventlog.archive.folder import Link
from eventlog.archive.history import CountingRecord, History
from eventlog.codec import Carried, carried_of
from eventlog.events_table import TableBuilder
from host.files import STATE_FOLDER_REMEDY, writing
from operations.backtest.engines.local import InProcess
from operations.backtest.engines.port import Engine
from operations.backtest.laying.assembling import assemble
from operations.backtest.laying.decided import Serving
from operations.backtest.laying.families import Family, families
from operations.backtest.laying.shards import Shard, lay_features, lay_labels
from operations.backtest.laying.spilling import (
    SHARE,
    Block,
    Laid,
    Period,
    Reading,
    Run,
    Spill,
    lay_block,
    shares_of,
    spill_archived,
)
from operations.progress import Count, Say
from projections.replay.rules import Bools
from projections.replay.transactions import fields_of

DEFAULT_BYTES = 1 << 30
_OF_EVENT, _OF_VALUE = 1_200, 16
"""Bytes that an event takes while its shard is folded, and each of its values beside."""
_SPILLED, _FIELDS = 168, 300
"""Bytes that an event takes on disk for each family, and a transaction beside its values."""
_LIVE_AT_ONCE = 50_000


@dataclass(frozen=True, slots=True)
class Means:
    """`memory` bounds the bytes held of the log by all workers together."""

    engine: Engine = field(default_factory=InProcess)
    memory: int = DEFAULT_BYTES


def lay_down(
    history: History,
    period: Period,
    features: FeatureSet,
    attributes: Collection[str],
    folder: Path,
    means: Means,
    serving: Serving,
    say: Say,
    count: Count,
) -> int:
    """Writes the columns of the period's transactions into `folder`; returns their number.

    Raises UnavailableError where the disk has no room or the log does not answer, IntegrityError
    for a damaged archive.
    """
    given = history, period, features, attributes, folder, means, serving, say, count
    try:
        return _laid_down(*given)
    except NotFoundError:
        # A file of the archive was merged into another meanwhile.
        return _laid_down(*given)


def _laid_down(
    history: History,
    period: Period,
    features: FeatureSet,
    attributes: Collection[str],
    folder: Path,
    means: Means,
    serving: Serving,
    say: Say,
    count: Count,
) -> int:
    records = sum(history.ends)
    engine = means.engine if records >= means.engine.worth_it else InProcess()
    at_once = rows_at_once(means.memory, len(features), engine.workers)
    spill = Spill(
        folder / "spill", max(1, -(-records // at_once)), at_once, period, features,
        tuple(sorted(attributes)), serving,
    )  # fmt: skip
    with writing(folder):
        shutil.rmtree(spill.folder, ignore_errors=True)
        spill.folder.mkdir()
        try:
            check_room(folder, _SPILLED * records)
            laid = _read(history, spill, engine, say, count)
            names = tuple(each.name for each in laid)
            number = sum(each.payments for each in laid)
            # Vectors twice: of shards, and of all.
            check_room(folder, number * (2 * 8 * len(features) + _FIELDS))
            made = _folded(spill, laid, engine, say, count)
            say("putting them together")
            return assemble(
                spill, names, made, folder, count, min(engine.workers, os.cpu_count() or 1)
            )
        finally:
            shutil.rmtree(spill.folder, ignore_errors=True)


def rows_at_once(memory: int, features: int, workers: int) -> int:
    """Events that each of the workers may hold."""
    return max(1, memory // (workers * (_OF_EVENT + _OF_VALUE * features)))


def check_room(folder: Path, needed: int) -> None:
    """Raises UnavailableError where the disk has no room for so many bytes."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise UnavailableError(
            "disk",
            f"the columns of this backtest take {needed / 1e9:,.1f} GB or more in {folder}, and"
            f" {free / 1e9:,.1f} GB are free; free some space, or {STATE_FOLDER_REMEDY}",
        )


def _read(history: History, spill: Spill, engine: Engine, say: Say, count: Count) -> list[Laid]:
    say("reading the log")
    archived = history.archived()
    records = sum(archived.values())
    most = max(1, min(spill.at_once, records // (4 * engine.workers)))
    tasks: list[Reading] = []
    some: list[tuple[Link, int]] = []
    held = 0
    for link in history.links(archived):
        end = min(link.piece.last + 1, archived[link.piece.partition])
        some.append((link, end))
        held += end - link.begin
        if held >= most:
            tasks.append(Reading(spill, f"file-{len(tasks)}", history.url, tuple(some)))
            some, held = [], 0
    if some:
        tasks.append(Reading(spill, f"file-{len(tasks)}", history.url, tuple(some)))
    laid = engine.run(spill_archived, tasks, lambda done: count(done, len(tasks)))
    return [*(each for of_task in laid for each in of_task), *_live(history, archived, spill)]


def _live(history: History, archived: Mapping[int, int], spill: Spill) -> Iterator[Laid]:
    """What is not archived yet: this process has it from the log."""
    records = history.behind(archived, lambda _: None)
    at_once = min(spill.at_once, _LIVE_AT_ONCE)
    for number, some in enumerate(iter(lambda: list(islice(records, at_once)), [])):
        builder, carried = TableBuilder(), list[CountingRecord]()
        for each in some:
            event = feature_event(each.envelope)
            if event is not None:
                builder.add(each.position.partition, each.position.offset, event)
                carried.append(each)
        table = builder.table()

        def of(
            wanted: Bools, held: Sequence[CountingRecord] = carried
        ) -> tuple[pa.Table, Sequence[Carried | None]]:
            found = [carried_of(held[at].envelope) for at in np.flatnonzero(wanted).tolist()]
            given = fields_of([each.transaction for each in found], spill.attributes)
            shares = shares_of(each.exploration for each in found)
            decided = [None if each.policy_version is None else each for each in found]
            return given.append_column(SHARE, shares), decided

        yield from lay_block(spill, f"log-{number}", Block(table.rows, table.known, of))


def _folded(
    spill: Spill, laid: Sequence[Laid], engine: Engine, say: Say, count: Count
) -> list[tuple[Family, str]]:
    uses, *others = families(spill.features.entities)
    say(f"folding {spill.shards} shards of {len(others)} kinds of entities")
    labels = [Shard(spill, _runs(laid, uses, n), uses, n) for n in range(spill.shards)]
    total = spill.shards * (1 + len(others))
    of_labels = engine.run(lay_labels, labels, lambda done: count(done, total))
    made = [(uses, stem) for stems in of_labels for stem in stems]
    # Of few labels that come late: so few that all tasks can have them.
    never = [np.fromfile(spill.folder / f"{stem}.overruled", np.int64) for _, stem in made]
    late = spill.folder / "overruled.npy"
    np.save(late, np.sort(np.concatenate(never)), allow_pickle=False)
    tasks = [
        Shard(spill, _runs(laid, family, number), family, number, late)
        for family in others
        for number in range(spill.shards)
    ]
    stems = engine.run(lay_features, tasks, lambda done: count(spill.shards + done, total))
    return [
        *made,
        *((task.family, stem) for task, some in zip(tasks, stems, strict=True) for stem in some),
    ]


def _runs(laid: Sequence[Laid], family: Family, number: int) -> tuple[Run, ...]:
    """Of one shard, those of all blocks that have any."""
    ranges = ((each.name, *each.starts[family.name][number : number + 2].tolist()) for each in laid)
    return tuple(Run(name, begin, end) for name, begin, end in ranges if begin < end)
