"""Comparison of the streaming fold of the entity topic with the log, transaction by transaction.

For each transaction of a shard the fold gives the version map of its entity's state and the
features finished from it; the log gives the same features from that version map.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import compress

import numpy as np

from domain.errors import UndecodableError
from domain.features import Entity, FeatureSet
from domain.features.engine import blank, finish_and_fold
from domain.features.kernel.arrays import Floats, Ints
from domain.features.kernel.ordering import versions_before
from domain.features.kernel.row_layout import IS_TRANSACTION, KIND, OFFSET, PARTITION, Rows
from eventlog.port import Recorded
from eventlog.routing import decode_routed, entries_of
from projections.verification.comparing import Compared, Difference, compare
from projections.verification.log_side import LogSide

# Rows folded in one go; between two of them states pass through bytes, as in the worker.
_AT_ONCE = 20_000


@dataclass(frozen=True, slots=True)
class Routed:
    """The events of one entity in one shard, in the order of folding; duplicates left out."""

    rows: Rows
    keys: list[str]
    codes: Ints


def routed_of(records: Iterable[Recorded]) -> dict[Entity, Routed]:
    """One shard, from its beginning. A record that leaves a gap is skipped, as it comes again, and
    so is one that no writer of this version folds."""
    last: dict[int, int] = {}
    parts: dict[Entity, list[Rows]] = {}
    codes: dict[Entity, list[int]] = {}
    numbers: dict[Entity, dict[str, int]] = {}
    for record in records:
        try:
            routed = decode_routed(record.value)
            entries = entries_of(routed)
        except UndecodableError:
            continue
        if not routed.joins(last):
            continue
        before = last.get(routed.source, -1)
        last[routed.source] = routed.last
        for entity, keys, rows in entries:
            known = numbers.setdefault(entity, {})
            new = rows[:, OFFSET] > before
            parts.setdefault(entity, []).append(rows[new])
            codes.setdefault(entity, []).extend(
                known.setdefault(key, len(known)) for key in compress(keys, new.tolist())
            )
    return {
        entity: Routed(
            np.concatenate(given), list(numbers[entity]), np.array(codes[entity], dtype=np.int64)
        )
        for entity, given in parts.items()
    }


def streamed(features: FeatureSet, entity: Entity, routed: Routed) -> tuple[Ints, Floats]:
    """(row numbers of the transactions, their vectors) by the streaming fold."""
    decided = np.flatnonzero(routed.rows[:, KIND] == IS_TRANSACTION)
    out = blank(features, len(decided))
    due = np.full(len(routed.rows), -1, dtype=np.int64)
    due[decided] = np.arange(len(decided))
    states: list[bytes | None] = [None] * len(routed.keys)
    for some in _slices(len(routed.rows)):
        held, owners = np.unique(routed.codes[some], return_inverse=True)
        before = [states[code] for code in held.tolist()]
        after = finish_and_fold(features, entity, before, owners, routed.rows[some], due[some], out)
        for code, state in zip(held.tolist(), after, strict=True):
            states[code] = state
    return decided, out


def compare_stream(log: LogSide, shard: dict[Entity, Routed], into: Compared) -> dict[Entity, int]:
    """Compares one shard; returns per entity how many transactions it had."""
    seen: dict[Entity, int] = {}
    for entity, routed in shard.items():
        if entity not in log.features.by_entity:
            continue
        decided, made = streamed(log.features, entity, routed)
        versions = versions_before(routed.rows, routed.codes, log.partitions)[decided]
        rows = routed.rows[decided]
        at = log.at(rows[:, PARTITION], rows[:, OFFSET])
        names = [feature.name for feature in log.features.by_entity[entity]]
        columns = [log.features.names.index(name) for name in names]
        known = at >= 0
        for place in np.flatnonzero(~known).tolist():
            _lacking(into, entity, routed.keys[routed.codes[decided[place]]], rows[place])
        again = blank(log.features, int(known.sum()))
        log.served(entity, at[known], versions[known], again)
        subjects = log.events.transaction_ids[at[known]].tolist()
        compare(
            into,
            names,
            [entity.value] * len(names),
            subjects,
            lambda row, at=at[known]: log.position(at[row]),  # type: ignore[misc]
            made[known][:, columns],
            again[:, columns],
        )
        seen[entity] = len(decided)
    return seen


def _lacking(into: Compared, entity: Entity, key: str, row: Ints) -> None:
    into.missing += 1
    position = f"{row[PARTITION]}/{row[OFFSET]}"
    into.add(Difference("(event)", entity.value, key, position, "routed", "not in the log"))


def _slices(count: int) -> Iterator[slice]:
    for start in range(0, count, _AT_ONCE):
        yield slice(start, min(start + _AT_ONCE, count))
