"""Finishing: states and a transaction give its feature vector, at the transaction's time."""

from collections.abc import Mapping

import numpy as np

from domain.features.declarations.catalogue import CATALOGUE
from domain.features.declarations.feature_set import FeatureSet
from domain.features.engine import blank, finish_one
from domain.features.entities import Entity
from domain.features.events import place_of
from domain.features.rows import request_row
from domain.features.state import EntityState
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
    vector = blank(features, 1)[0]
    request = np.array(request_row(transaction, place_of(transaction)), dtype=np.int64)
    finish_one(features.request, b"", [], request, vector)
    for entity, state in states.items():
        if state.features is not features and state.features.hash != features.hash:
            raise ValueError(f"the state of {entity} {state.key!r} belongs to other features")
        data, rows = state.pending
        finish_one(features.plans[entity], data, rows, request, vector)
    return [None if value != value else value for value in vector.tolist()]
