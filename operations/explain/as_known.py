"""What was known at another time, beside what was served: events, features and the decision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from domain.features import Entity
from domain.features.kernel.arrays import Ints
from domain.features.kernel.row_layout import TIME
from domain.times import to_rfc3339
from eventlog.archive.of_entities import EntityEvents
from operations.explain.again import Again
from operations.explain.facts import Teller
from operations.explain.histories import Histories, History, Vector
from operations.explain.standing import Bools, known_by
from operations.explain.told import ToldAsKnown


@dataclass(frozen=True, slots=True)
class AsKnown:
    """The comparison, and all features by what was known."""

    told: ToldAsKnown
    vector: Vector


def as_known_at(
    at: int,
    events: EntityEvents,
    served: Histories,
    rows: tuple[Mapping[Entity, Ints], Mapping[Entity, Bools]],
    again: Again | None,
    vector: Vector,
) -> AsKnown:
    """`at` is in microseconds; `rows` are all of each entity, and which of them were served.

    `vector` are the features as served. Raises UnavailableError of a model server.
    """
    read: dict[Entity, History] = {}
    more, fewer = set[int](), set[int]()
    for entity, places in rows[0].items():
        mine, counted = events.table.rows[places], rows[1][entity]
        known = events.table.known[places]
        mask, moved = known_by(mine, known, counted, served.moment, at)
        read[entity] = History(places[mask], moved[mask])
        more |= set(places[mask & ~counted].tolist())
        fewer |= set(places[counted & ~mask].tolist())
    transaction = served.transaction
    by_then = replace(served, read=read, _states={})
    later = by_then.vector(transaction)
    both = zip(served.features.names, vector, later, strict=True)
    differing = [name for name, mine, theirs in both if mine != theirs]
    trial = None
    if again is not None and not again.trouble:
        trial = again.take(transaction, later, again.policy.lists)
    newest = np.array(sorted(more, key=lambda n: int(events.table.rows[n, TIME])), dtype=np.int64)
    told = ToldAsKnown(
        to_rfc3339(at),
        Teller(events).newest(newest),
        len(more),
        len(fewer),
        differing,
        trial.outcome if trial else None,
        trial.score if trial else None,
        trial.reasons if trial else None,
    )
    return AsKnown(told, later)
