"""One shard: features of its entities, or labels of its payments, as a file by known time.

The events of an entity lie in one shard, so that nothing outside it decides its features. A shard
with more events than may be held goes by slices of known time: states are carried from one to the
next as bytes, as a worker keeps them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np

from domain.features import Entity, FeatureSet
from domain.features.engine import blank, run_groups
from domain.features.kernel.arrays import Ints
from domain.features.kernel.ordering import overruled
from domain.features.kernel.row_layout import IS_OVERRULED, OFFSET, PARTITION, PRESENT, WIDTH, Rows
from domain.features.payments import MATURITIES
from operations.backtest.laying.families import KEYS, Family
from operations.backtest.laying.files import PAYMENTS
from operations.backtest.laying.items import fill_items, mapped_items
from operations.backtest.laying.spilling import KNOWN, PLACE, Run, Spill, known_order_of, places_of
from projections.replay.payments import labels_of, mixed, payments_of, uses_of

OF_PAYMENT = np.dtype(
    [
        ("labels", np.int64), ("holders", np.int64), ("amounts", np.int64), ("declined", np.bool_),
        ("matured", np.int8, (len(MATURITIES),)),
    ]
)  # fmt: skip
"""What labels and metrics say of a payment."""
_MOST_SAMPLED = 1_000_000
_ALL = (-(1 << 62), 1 << 62)


@dataclass(frozen=True, slots=True)
class Shard:
    """The events of a family that lie in `runs` of spilled blocks; `overruled` is a file of
    `places_of` labels that never count."""

    spill: Spill
    runs: tuple[Run, ...]
    family: Family
    number: int
    overruled: Path | None = None


@dataclass(slots=True)
class _States:
    """Of each entity the state after what was folded, by its key."""

    held: dict[Entity, dict[tuple[int, ...], bytes]] = field(default_factory=dict)

    def fold(
        self, features: FeatureSet, entity: Entity, rows: Rows, due: Ints, out: np.ndarray,
        *, carry: bool,
    ) -> None:  # fmt: skip
        order, spans, found = _grouped(rows, KEYS[entity])
        mine = self.held.setdefault(entity, {})
        # Most shards are one slice, and nobody asks for the keys.
        keys = list(map(tuple, found.tolist())) if mine or carry else []
        before = [mine.get(key, b"") for key in keys] if mine else [b""] * len(found)
        plan = features.plans[entity]
        after = run_groups(plan, before, rows, order, spans, due, out, keep=carry)
        if carry:
            mine.update(zip(keys, after, strict=True))


def lay_features(task: Shard) -> list[str]:
    """Stems of the files that hold the vectors of this shard. Raises OSError, IntegrityError."""
    family, spill = task.family, task.spill
    features = FeatureSet(f for f in spill.features.features if f.entity in family.entities)
    never = np.load(task.overruled) if task.overruled else np.zeros(0, dtype=np.int64)
    states, folded = _States(), 0
    laid = []
    slices = _slices(task)
    for number, runs in enumerate(slices):
        rows, known = _read(task, runs)
        places, wanted = places_of(rows), spill.period.wanted(rows)
        due = np.where(wanted, np.cumsum(wanted) - 1, -1)
        rows[np.isin(places, never), PRESENT] |= IS_OVERRULED
        # By known time offsets need not rise: they are numbered anew, so that none is taken for
        # one that was folded before.
        rows[:, PARTITION], rows[:, OFFSET] = 0, np.arange(folded, folded + len(rows))
        folded += len(rows)
        out = blank(features, int(wanted.sum()))
        for entity in family.entities:
            states.fold(features, entity, rows, due, out, carry=number < len(slices) - 1)
        columns = {KNOWN: known[wanted], PLACE: places[wanted], "values": out}
        laid.append(_lay(task, number, columns))
    return laid


def lay_labels(task: Shard) -> list[str]:
    """As `lay_features`, of labels and payments; and of labels that come after one that stands
    behind them in the log."""
    rows, known = _read(task, task.runs)
    wanted = task.spill.period.wanted(rows)
    found = np.zeros(int(wanted.sum()), dtype=OF_PAYMENT)
    found["labels"] = labels_of(rows, uses_of(rows[wanted]))
    payments = payments_of(rows, wanted, MATURITIES)
    for name in PAYMENTS:
        found[name] = getattr(payments, name)
    columns = {
        KNOWN: known[wanted],
        PLACE: places_of(rows)[wanted],
        "payments": found,
        "overruled": places_of(rows)[overruled(rows)],
    }
    return [_lay(task, 0, columns)]


def _lay(task: Shard, number: int, columns: dict[str, np.ndarray]) -> str:
    stem = f"made-{task.family.name}-{task.number}-{number}"
    for what, array in columns.items():
        array.tofile(task.spill.folder / f"{stem}.{what}")
    return stem


def edges_of(known: Sequence[Ints], at_once: int) -> list[int]:
    """Of ascending arrays: known times between which about `at_once` items lie; events that were
    known at one moment stay together."""
    total = sum(map(len, known))
    number = -(-total // max(at_once, 1))
    if number < 2:
        return list(_ALL)
    step = max(1, total // _MOST_SAMPLED)
    sample = np.sort(np.concatenate([each[::step] for each in known]))
    marks = np.linspace(0, len(sample), number + 1)[1:-1].astype(np.int64)
    return [_ALL[0], *np.unique(sample[marks]).tolist(), _ALL[1]]


def _slices(task: Shard) -> list[tuple[Run, ...]]:
    """The shard by slices of known time: whole, where it may be held at once."""
    total, at_once = sum(run.end - run.begin for run in task.runs), task.spill.at_once
    if total <= at_once:
        return [task.runs] if total else []
    # Held for no longer than the edges are looked for.
    known = [mapped_items(_file(task, run, "known"))[run.begin : run.end] for run in task.runs]
    found = []
    for begin, end in pairwise(edges_of(known, at_once)):
        cut = [np.searchsorted(each, [begin, end]).tolist() for each in known]
        runs = (
            Run(r.block, r.begin + a, r.begin + b) for r, (a, b) in zip(task.runs, cut, strict=True)
        )
        found.append(tuple(run for run in runs if run.begin < run.end))
    return found


def _file(task: Shard, run: Run, what: str) -> Path:
    return task.spill.folder / f"{run.block}.{task.family.name}.{what}"


def _read(task: Shard, runs: Sequence[Run]) -> tuple[Rows, Ints]:
    """(rows, known times) in known order."""
    rows = np.empty((sum(run.end - run.begin for run in runs), WIDTH), dtype=np.int64)
    known = np.empty(len(rows), dtype=np.int64)
    at = 0
    for run in runs:
        there = slice(at, at := at + run.end - run.begin)
        fill_items(rows[there], _file(task, run, "rows"), run.begin)
        fill_items(known[there], _file(task, run, "known"), run.begin)
    order = known_order_of(rows, known)
    if (order[1:] > order[:-1]).all():
        return rows, known
    return rows[order], known[order]


def _grouped(rows: Rows, columns: Sequence[int]) -> tuple[Ints, Ints, Ints]:
    """(row numbers by key in their order, where each key begins and ends, the keys)."""
    bits = sum(1 << column for column in columns)
    order = np.flatnonzero(rows[:, PRESENT] & bits == bits)
    keys = rows[order][:, list(columns)]
    mixed = _mixed(keys)
    # By 32 bits, which are sorted by counting. Keys that share them lie mixed: then in full.
    by_key = np.argsort((mixed & 0xFFFF).astype(np.uint16), kind="stable")
    upper = (mixed[by_key] >> 16 & 0xFFFF).astype(np.uint16)
    by_key = by_key[np.argsort(upper, kind="stable")]
    begins = _begins(keys[by_key])
    if len(np.unique(mixed[by_key[begins]])) < len(begins):
        by_key = np.lexsort(keys.T)
        begins = _begins(keys[by_key])
    spans = np.append(begins, len(keys)).astype(np.int64)
    return order[by_key], spans, keys[by_key[begins]]


def _mixed(keys: Ints) -> Ints:
    """One number of each key; ids are digests, so that few keys share one."""
    found: Ints = keys[:, 0].copy()
    for column in keys.T[1:]:
        found = mixed(found, column)
    return found


def _begins(keys: Ints) -> Ints:
    """Where another key begins, of keys of which equal ones lie together."""
    differs = (keys[1:] != keys[:-1]).any(axis=1)
    return np.flatnonzero(np.append(np.ones(len(keys[:1]), dtype=bool), differs))
