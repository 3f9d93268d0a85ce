"""Drivers of the kernel: many states, whole histories, one request.

All of them run the same loop over rows (kernel/run.py), so a value has the same bits wherever it is
made. NaN stands for unknown.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import TypeVar

import numpy as np

from domain.errors import IntegrityError
from domain.features.declarations.feature_set import FeatureSet
from domain.features.declarations.plan import Plan
from domain.features.entities import Entity
from domain.features.kernel.arrays import Bytes, Floats, Ints, Tables
from domain.features.kernel.memory import fresh, scratch
from domain.features.kernel.ordering import overruled
from domain.features.kernel.row_layout import (
    IS_OVERRULED,
    OFFSET,
    PARTITION,
    PARTITIONS,
    PRESENT,
    WIDTH,
    Rows,
)
from domain.features.kernel.run import answer, join, look, run

Made = TypeVar("Made")

_NO_OUT = np.zeros((0, 0), dtype=np.float64)
_NO_ROWS = np.zeros((0, WIDTH), dtype=np.int64)
_NO_DATA = np.zeros(0, dtype=np.uint8)
_BUFFER = 1 << 16
# Bytes at the most of what was held of one state, and of one place beside it.
_HELD, _PLACE = 2 + 12 * PARTITIONS, 12
_PLACES = {entity: place for place, entity in enumerate([None, *Entity])}


def fold_states(
    features: FeatureSet, entity: Entity, blobs: Sequence[bytes | None], owners: Ints, rows: Rows
) -> list[bytes]:
    """The states after `rows` are folded in their order; row i goes to blobs[owners[i]].

    Rows that a state covers already change nothing. Raises IntegrityError for bytes that are not
    a state of these features.
    """
    order, spans = grouped(owners, len(blobs))
    given = [blob or b"" for blob in blobs]
    due = np.full(len(rows), -1, dtype=np.int64)
    return run_groups(features.plans[entity], given, rows, order, spans, due, _NO_OUT, keep=True)


def finish_and_fold(
    features: FeatureSet,
    entity: Entity,
    blobs: Sequence[bytes | None],
    owners: Ints,
    rows: Rows,
    due: Ints,
    out: Floats,
) -> list[bytes]:
    """As `fold_states`; before row i is folded its features go to out[due[i]], if that is >= 0."""
    order, spans = grouped(owners, len(blobs))
    given = [blob or b"" for blob in blobs]
    return run_groups(features.plans[entity], given, rows, order, spans, due, out, keep=True)


def vectors(
    features: FeatureSet, keys: Mapping[Entity, Ints], rows: Rows, due: Ints, threads: int = 2
) -> Floats:
    """Replays a whole log: [due rows, features], each finished from the rows before its own.

    Every row is folded once, in the order given, whatever its offset: by known time offsets need
    not rise. `keys[entity][i]` is the number of the entity that row i concerns, or -1; `due[i]` the
    row of the result, or -1.
    """
    if not _rising(rows):
        rows = in_this_order(rows)
    out = blank(features, int(due.max(initial=-1)) + 1)
    everything = np.arange(len(rows), dtype=np.int64)
    whole = np.array([0, len(rows)], dtype=np.int64)
    run_groups(features.request, [b""], rows, everything, whole, due, out, keep=False)

    def part(plan: Plan, order: Ints, bounds: Ints) -> None:
        run_groups(plan, [b""] * (len(bounds) - 1), rows, order, bounds, due, out, keep=False)

    with ThreadPoolExecutor(threads) as pool:
        sorting = {
            entity: pool.submit(grouped, codes, int(codes.max(initial=-1)) + 1)
            for entity, codes in ((entity, keys[entity]) for entity in features.entities)
        }
        running = []
        for entity, sorted_ in sorting.items():
            order, spans = sorted_.result()
            plan = features.plans[entity]
            running += [pool.submit(part, plan, order, some) for some in _cut(spans, threads)]
        for each in running:
            each.result()
    return out


def _rising(rows: Rows) -> bool:
    """True where the offsets of each partition rise, so that no row is taken for known."""
    partitions, offsets = rows[:, PARTITION].copy(), rows[:, OFFSET].copy()
    for partition in np.flatnonzero(np.bincount(partitions)).tolist():
        mine = offsets[partitions == partition]
        if (mine[1:] <= mine[:-1]).any():
            return False
    return True


def states(
    features: FeatureSet, entity: Entity, codes: Ints, rows: Rows, threads: int = 2
) -> list[bytes]:
    """The state of each number in `codes` (-1: none) after all rows; in the order of the numbers"""
    order, spans = grouped(codes, int(codes.max(initial=-1)) + 1)
    due = np.full(len(rows), -1, dtype=np.int64)
    plan = features.plans[entity]

    def part(bounds: Ints) -> list[bytes]:
        empty = [b""] * (len(bounds) - 1)
        return run_groups(plan, empty, rows, order, bounds, due, _NO_OUT, keep=True)

    return [state for made in _in_parts(part, spans, threads) for state in made]


def finish_all(
    features: FeatureSet,
    given: Sequence[tuple[Entity | None, bytes, Sequence[tuple[int, ...]]]],
    request: Ints,
    out: Floats,
    covers: Ints | None = None,
) -> list[bytes]:
    """Folds the rows of each entity onto its state and finishes for `request` [WIDTH] into `out`
    [features]; the entity None stands for the request itself. Rows at or below `covers` [given,
    PARTITIONS] are left out; it is raised to what was held.

    Returns that and the rows beside it, each as `encode_held` writes it.
    """
    joined, rows, spans = features.joined, list[tuple[int, ...]](), [0]
    for _, _, mine in given:
        rows += mine
        spans.append(len(rows))
    bounds = np.array([0, *accumulate(len(blob) for _, blob, _ in given)], dtype=np.int64)
    if covers is None:
        covers = np.full((len(given), PARTITIONS), -1, dtype=np.int64)
    held = np.empty(_HELD * len(given) + _PLACE * len(rows), dtype=np.uint8)
    ends, code, state = answer(
        (joined.stores, joined.features, joined.spans),
        scratch(joined),
        np.array([_PLACES[entity] for entity, _, _ in given], dtype=np.int64),
        _array(b"".join([blob for _, blob, _ in given])),
        bounds,
        np.array(rows, dtype=np.int64) if rows else _NO_ROWS,
        np.array(spans, dtype=np.int64),
        covers,
        request,
        out,
        held,
    )
    _check(given[state][0], code)
    whole, cuts = held[: ends[-1]].tobytes(), ends.tolist()
    return [whole[a:b] for a, b in pairwise(cuts)]


def merged(plan: Plan, first: bytes, second: bytes) -> bytes:
    """The state that holds the events of both, which are to have none in common."""
    mine, other = scratch(plan), fresh(plan)
    data = np.empty(9 * plan.size + 20 * len(plan.stores) + 1024, dtype=np.uint8)
    size, code = join(_tables(plan), mine, other, _array(first), _array(second), data)
    _check(plan.entity, code)
    return data[:size].tobytes()


@dataclass(frozen=True, slots=True)
class Inspected:
    """What a state holds. `items` and `counted` (events) are per store, in the order of the plan.

    `latest` is the greatest event time, `latest_label` the greatest known time of a label, NEVER
    (-2^62) where there is none.
    """

    latest: int
    latest_label: int
    transactions: int
    labels: int
    items: list[int]
    counted: list[int]


def inspected(plan: Plan, blob: bytes) -> Inspected:
    memory, items = scratch(plan), np.zeros((len(plan.stores), 2), dtype=np.int64)
    _check(plan.entity, look(_tables(plan), memory, _array(blob), items))
    latest, latest_label, transactions, labels = memory[2].tolist()
    held, counted = items[:, 0].tolist(), items[:, 1].tolist()
    return Inspected(latest, latest_label, transactions, labels, held, counted)


def in_this_order(rows: Rows, first: int = 0) -> Rows:
    """A copy whose offsets are its places, of one partition: so that no row is taken for known.

    Labels that come after one that stands behind them in the log are marked.
    """
    numbered = rows.copy()
    numbered[overruled(rows), PRESENT] |= IS_OVERRULED
    numbered[:, PARTITION] = 0
    numbered[:, OFFSET] = np.arange(first, first + len(rows))
    return numbered


def warm_up(features: FeatureSet) -> None:
    """Compiles the kernel, or loads what was compiled before: some twenty seconds, or a tenth."""
    rows = np.zeros((1, WIDTH), dtype=np.int64)
    codes = np.zeros(1, dtype=np.int64)
    for entity, plan in features.plans.items():
        (state,) = fold_states(features, entity, [None], codes, rows)
        finish_all(features, [(entity, state, [])], rows[0], blank(features, 1)[0])
        merged(plan, state, b"")
        inspected(plan, state)


def blank(features: FeatureSet, rows: int) -> Floats:
    """Vectors in which everything is at its default."""
    return np.tile(_defaults(features), (rows, 1))


@lru_cache(maxsize=16)
def _defaults(features: FeatureSet) -> Floats:
    return np.array([np.nan if default is None else default for default in features.defaults])


def grouped(codes: Ints, count: int) -> tuple[Ints, Ints]:
    """(row numbers by code, in their order; where each of the `count` codes begins and ends)."""
    order = np.argsort(codes, kind="stable")
    spans = np.searchsorted(codes[order], np.arange(count + 1))
    return order, spans.astype(np.int64)


def _in_parts(part: Callable[[Ints], Made], spans: Ints, threads: int) -> list[Made]:
    """Splits the groups where about as many rows lie on each side; the parts in their order."""
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(part, _cut(spans, threads)))


def _cut(spans: Ints, threads: int) -> list[Ints]:
    if threads < 2 or spans[-1] - spans[0] < 10_000:
        return [spans]
    marks = np.linspace(spans[0], spans[-1], threads + 1)
    cuts = [0, *np.searchsorted(spans, marks[1:-1]).tolist(), len(spans) - 1]
    return [spans[a : b + 1] for a, b in pairwise(cuts)]


def run_groups(
    plan: Plan,
    blobs: Sequence[bytes],
    rows: Rows,
    order: Ints,
    spans: Ints,
    due: Ints,
    out: Floats,
    *,
    keep: bool,
) -> list[bytes]:
    bounds = np.zeros(len(blobs) + 1, dtype=np.int64)
    np.cumsum([len(blob) for blob in blobs], out=bounds[1:])
    given = _array(b"".join(blobs))
    data = np.empty(_BUFFER, dtype=np.uint8) if keep else _NO_DATA
    made, ends, code, group = run(
        _tables(plan), scratch(plan), given, bounds, rows, order, spans, due, out, keep, data
    )
    _check(plan.entity, code, group)
    if not keep:
        return []
    whole, cuts = made[: ends[-1]].tobytes(), ends.tolist()
    return [whole[a:b] for a, b in pairwise(cuts)]


def _check(entity: Entity | None, code: int, group: int = 0) -> None:
    if code == 1:
        raise IntegrityError(
            f"state {group} of {entity} was written for other features: rebuild the online "
            "state with `retrace features rebuild`"
        )
    if code:
        raise IntegrityError(f"state {group} of {entity} is damaged, or cut short")


def _array(data: bytes) -> Bytes:
    return np.frombuffer(data, dtype=np.uint8)


def _tables(plan: Plan) -> Tables:
    return plan.stores, plan.features, plan.digest
