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
from operations.backtest.laying.spilling import Spill, known_order_of, places_of
from projections.replay.payments import labels_of, payments_of, uses_of

_MOST_SAMPLED = 1_000_000
_ALL = (-(1 << 62), 1 << 62)


@dataclass(frozen=True, slots=True)
class Shard:
    """Of the spilled blocks `names` those events of a family; `overruled` is a file of `places_of`
    labels that never count."""

    spill: Spill
    names: tuple[str, ...]
    family: Family
    number: int
    overruled: Path | None = None

    def path(self, part: int, what: str) -> Path:
        return self.spill.folder / f"made-{self.family.name}-{self.number}-{part}.{what}.npy"


@dataclass(slots=True)
class _States:
    """Of each entity the state after what was folded, by its key."""

    held: dict[Entity, dict[tuple[int, ...], bytes]] = field(default_factory=dict)

    def fold(
        self, features: FeatureSet, entity: Entity, rows: Rows, due: Ints, out: np.ndarray,
        *, carry: bool,
    ) -> None:  # fmt: skip
        order, spans, keys = _grouped(rows, KEYS[entity])
        mine = self.held.setdefault(entity, {})
        before = [mine.get(key, b"") for key in keys] if mine else [b""] * len(keys)
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
    parts = _parts(task)
    if not parts:
        return []
    slices = list(pairwise(edges_of([known for _, known in parts], spill.at_once)))
    laid = []
    for number, (begin, end) in enumerate(slices):
        rows, known = _slice(parts, begin, end)
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
        columns = {"known": known[wanted], "place": places[wanted], "values": out}
        laid.append(_lay(task, number, columns))
    return laid


def lay_labels(task: Shard) -> list[str]:
    """As `lay_features`, of labels and payments; and of labels that come after one that stands
    behind them in the log."""
    rows, known = _slice(_parts(task), *_ALL)
    wanted = task.spill.period.wanted(rows)
    payments = payments_of(rows, wanted, MATURITIES)
    columns = {
        "known": known[wanted],
        "place": places_of(rows)[wanted],
        "labels": labels_of(rows, uses_of(rows[wanted])),
        "holders": payments.holders,
        "amounts": payments.amounts,
        "declined": payments.declined,
        "matured": payments.matured,
        "overruled": places_of(rows)[overruled(rows)],
    }
    return [_lay(task, 0, columns)]


def _lay(task: Shard, number: int, columns: dict[str, np.ndarray]) -> str:
    for what, array in columns.items():
        np.save(task.path(number, what), array, allow_pickle=False)
    return task.path(number, "known").name.removesuffix(".known.npy")


_Part = tuple[Rows, Ints]


def _parts(task: Shard) -> list[_Part]:
    """Of each block its rows of this shard, by known time, as they lie in the files."""
    found = []
    for name in task.names:
        stem = task.spill.folder / f"{name}.{task.family.name}"
        starts = np.load(f"{stem}.starts.npy")
        mine = slice(int(starts[task.number]), int(starts[task.number + 1]))
        if mine.start < mine.stop:
            rows, known = (np.load(f"{stem}.{w}.npy", mmap_mode="r") for w in ("rows", "known"))
            found.append((rows[mine], known[mine]))
    return found


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


def _slice(parts: Sequence[_Part], begin: int, end: int) -> _Part:
    """A copy of what was known from `begin` on and before `end`, in known order."""
    rows, known = [np.zeros((0, WIDTH), dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    for of_block, at in parts:
        a, b = np.searchsorted(at, [begin, end]).tolist()
        rows.append(of_block[a:b])
        known.append(at[a:b])
    found, when = np.concatenate(rows), np.concatenate(known)
    del rows, known
    order = known_order_of(found, when)
    return found[order], when[order]


def _grouped(rows: Rows, columns: Sequence[int]) -> tuple[Ints, Ints, list[tuple[int, ...]]]:
    """(row numbers by key in their order, where each key begins and ends, the keys)."""
    there = np.ones(len(rows), dtype=bool)
    for column in columns:
        there &= (rows[:, PRESENT] >> column & 1) != 0
    order = np.flatnonzero(there)
    keys = rows[order][:, list(columns)]
    # Stable, and the last key is the first to sort by.
    by_key = np.lexsort(keys.T[::-1])
    order, keys = order[by_key], keys[by_key]
    differs = (keys[1:] != keys[:-1]).any(axis=1)
    begins = np.flatnonzero(np.append(True, differs)) if len(keys) else np.zeros(0, dtype=np.int64)
    spans = np.append(begins, len(keys)).astype(np.int64)
    return order, spans, list(map(tuple, keys[begins].tolist()))
