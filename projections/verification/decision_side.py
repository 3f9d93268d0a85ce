"""Comparison of served vectors, as decisions recorded them, with the log at their versions."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from domain.events import TransactionScored
from domain.features import Entity, Held, decode_held
from domain.features.kernel.arrays import Floats, Ints
from projections.verification.comparing import Compared, compare
from projections.verification.log_side import LogSide
from projections.verification.postgres_side import entities_of


@dataclass(frozen=True, slots=True)
class Served:
    """One decision: its place in the log and what it recorded."""

    partition: int
    offset: int
    data: TransactionScored


def compare_served(log: LogSide, decisions: Iterable[Served], into: Compared) -> int:
    """Compares the decisions made with this set of features; returns how many others there were.

    A decision without features (its stores were away) has the request's features alone, and is
    compared in those: its versions name no state.
    """
    mine, others = [], 0
    for each in decisions:
        if each.data.feature_set == log.features.hash:
            mine.append(each)
        else:
            others += 1
    at, again = served_again(log, mine)
    kept = [d for d, row in zip(mine, at.tolist(), strict=True) if row >= 0]
    recorded = np.array(
        [[np.nan if v is None else v for v in d.data.features] for d in kept], dtype=np.float64
    ).reshape(len(kept), len(log.features))
    compare(
        into,
        list(log.features.names),
        entities_of(log.features),
        [d.data.transaction.transaction_id for d in kept],
        lambda row: f"{kept[row].partition}/{kept[row].offset}",
        again[at >= 0],
        recorded,
    )
    return others


def served_again(log: LogSide, decisions: Sequence[Served]) -> tuple[Ints, Floats]:
    """(row of each decision in the log, -1 where it has none; vectors [decisions, features]).

    The vectors are those of the set of `log`, at the versions that each decision recorded, and of
    unknown values where it has no row. Raises IntegrityError for versions that cannot be read.
    """
    at = log.at(
        np.array([d.partition for d in decisions], dtype=np.int64),
        np.array([d.offset for d in decisions], dtype=np.int64),
    )
    there = np.flatnonzero(at >= 0)
    kept = [decisions[i] for i in there.tolist()]
    values = log.request_values(at[there])
    for entity in log.features.entities:
        _fill(log, entity, kept, at[there], values)
    again = np.full((len(decisions), len(log.features)), np.nan)
    again[there] = values
    return at, again


def _fill(log: LogSide, entity: Entity, kept: list[Served], at: Ints, again: Floats) -> None:
    """Features of an entity stay at their defaults where the decision names no version of it."""
    with_state = [i for i, d in enumerate(kept) if entity.value in d.data.versions]
    with_state = [i for i in with_state if log.events.codes[entity][at[i]] >= 0]
    held = {i: decode_held(kept[i].data.versions[entity.value]) for i in with_state}
    alone = np.array([i for i in with_state if not held[i].beside], dtype=np.int64)
    if len(alone):
        part = again[alone]
        log.served(entity, at[alone], _versions(log, held, alone), part)
        again[alone] = part
    others = np.array([i for i in with_state if held[i].beside], dtype=np.int64)
    if len(others):
        part = again[others]
        beside = [_rows_at(log, held[i]) for i in others.tolist()]
        log.served_beside(entity, at[others], _versions(log, held, others), beside, part)
        again[others] = part


def _versions(log: LogSide, held: Mapping[int, Held], chosen: Ints) -> Ints:
    versions = np.full((len(chosen), log.partitions), -1, dtype=np.int64)
    for row, i in enumerate(chosen.tolist()):
        for partition, offset in held[i].upto.items():
            versions[row, partition] = offset
    return versions


def _rows_at(log: LogSide, held: Held) -> Ints:
    """What the log does not have is left out: the values then differ."""
    rows = log.at(*np.array(held.beside, dtype=np.int64).reshape(-1, 2).T)
    return rows[rows >= 0]
