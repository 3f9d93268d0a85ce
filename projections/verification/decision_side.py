"""Comparison of served vectors, as decisions recorded them, with the log at their versions."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from domain.events import TransactionScored
from domain.features import Entity, decode_versions
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
    if not mine:
        return others
    at = log.at(
        np.array([d.partition for d in mine], dtype=np.int64),
        np.array([d.offset for d in mine], dtype=np.int64),
    )
    kept = [d for d, row in zip(mine, at.tolist(), strict=True) if row >= 0]
    at = at[at >= 0]
    again = log.request_values(at)
    for entity in log.features.entities:
        _fill(log, entity, kept, at, again)
    recorded = np.array(
        [[np.nan if v is None else v for v in d.data.features] for d in kept], dtype=np.float64
    ).reshape(len(kept), len(log.features))
    compare(
        into,
        list(log.features.names),
        entities_of(log.features),
        [d.data.transaction.transaction_id for d in kept],
        lambda row: f"{kept[row].partition}/{kept[row].offset}",
        again,
        recorded,
    )
    return others


def _fill(log: LogSide, entity: Entity, kept: list[Served], at: Ints, again: Floats) -> None:
    """Features of an entity stay at their defaults where the decision names no version of it."""
    with_state = [i for i, d in enumerate(kept) if entity.value in d.data.versions]
    with_state = [i for i in with_state if log.events.codes[entity][at[i]] >= 0]
    if not with_state:
        return
    versions = np.full((len(with_state), log.partitions), -1, dtype=np.int64)
    for row, i in enumerate(with_state):
        for partition, offset in decode_versions(kept[i].data.versions[entity.value]).items():
            versions[row, partition] = offset
    part = again[with_state]
    log.served(entity, at[with_state], versions, part)
    again[with_state] = part
