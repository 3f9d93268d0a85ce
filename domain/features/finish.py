"""Finishing: states and a transaction give its feature vector, at the transaction's time."""

from collections.abc import Mapping, Sequence

import numpy as np

from domain.features.declarations.catalogue import CATALOGUE
from domain.features.declarations.feature_set import FeatureSet
from domain.features.engine import blank, finish_all
from domain.features.entities import Entity
from domain.features.events import place_of
from domain.features.kernel.arrays import Ints
from domain.features.rows import request_row
from domain.features.state import EntityState, Row
from domain.features.versions import text_of
from domain.transactions import Transaction

Vector = list[float | None]


def finish(
    states: Mapping[Entity, EntityState], transaction: Transaction, features: FeatureSet = CATALOGUE
) -> Vector:
    """The vector in the order of `features.names`.

    An entity that is not in `states` leaves its features at their defaults: one that the
    transaction names, and that was never seen, is to be given as an empty state. The transaction's
    own event is not to be in the states. Raises IntegrityError for a damaged state.
    """
    return finish_held(states, transaction, features)[0]


def finish_held(
    states: Mapping[Entity, EntityState],
    transaction: Transaction,
    features: FeatureSet = CATALOGUE,
    covers: Ints | None = None,
    recents: Sequence[Sequence[Row]] = (),
) -> tuple[Vector, list[str]]:
    """As `finish`, and for each state what was held, as `encode_held` writes it.

    Of each state's `recents`, by rising place, those are folded too that it does not hold and that
    lie beyond its row of `covers` [1 + states, PARTITIONS]: those rows, from the second on, are
    raised to what it holds.
    """
    vector = blank(features, 1)[0]
    request = np.array(request_row(transaction, place_of(transaction)), dtype=np.int64)
    given: list[tuple[Entity | None, bytes, Sequence[Row]]] = [(None, b"", ())]
    beside = recents or [()] * len(states)
    for (entity, state), recent in zip(states.items(), beside, strict=True):
        if state.features is not features and state.features.hash != features.hash:
            raise ValueError(f"the state of {entity} {state.key!r} belongs to other features")
        data, rows = state.pending
        given.append((entity, data, [*rows, *recent] if rows else recent))
    held = finish_all(features, given, request, vector, covers)
    values = [None if value != value else value for value in vector.tolist()]
    return values, [text_of(each) for each in held[1:]]
