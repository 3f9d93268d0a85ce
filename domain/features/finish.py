"""Owns the finish: states and a transaction to its vector, at the transaction's time."""

from __future__ import annotations

from collections.abc import Mapping

from domain.features.catalogue import CATALOGUE
from domain.features.declarations import Aggregation, Window
from domain.features.entities import Entity
from domain.features.events import code, place_of
from domain.features.feature_set import FeatureSet
from domain.features.formulas import OVER_TOTALS, over_labels, over_place
from domain.features.labels import Labels
from domain.features.pairs import Pairs
from domain.features.places import Places
from domain.features.request import REQUEST
from domain.features.state import EntityState
from domain.transactions import Transaction

Vector = list[float | None]


def finish(
    states: Mapping[Entity, EntityState],
    transaction: Transaction,
    features: FeatureSet = CATALOGUE,
) -> Vector:
    """The vector in the order of `features.names`.

    An entity that is not in `states` leaves its features at their defaults: one that the
    transaction names, and that was never seen, is to be given as an empty state. The transaction's
    own event is not to be in the states.
    """
    vector: Vector = [None] * len(features)
    for place, field in features.of_request:
        vector[place] = REQUEST[field](transaction)
    for entity, state in states.items():
        if state.plan is not features.plans[entity]:
            raise ValueError(f"the state of {entity} {state.key!r} belongs to other features")
        _finish_entity(vector, state, transaction)
    for place, default in features.with_default:
        if vector[place] is None:
            vector[place] = default
    return vector


def _finish_entity(vector: Vector, state: EntityState, transaction: Transaction) -> None:
    time, amount, latest = transaction.timestamp, transaction.base_amount, state.latest
    for tiles in state.tiles:
        totals = tiles.read(time, latest)
        for place, feature in tiles.plan.features:
            vector[place] = OVER_TOTALS[feature.aggregation](totals, time, amount)
    for pairs in state.pairs:
        _finish_pairs(vector, pairs, transaction, latest)
    for places in state.places:
        _finish_places(vector, places, transaction, latest)
    if state.labels is not None:
        _finish_labels(vector, state.labels, time, state.latest_label)


def _finish_pairs(vector: Vector, pairs: Pairs, transaction: Transaction, latest: int) -> None:
    held = pairs.read(transaction.timestamp, latest)
    for place, feature in pairs.plan.features:
        if feature.aggregation is Aggregation.DISTINCT:
            vector[place] = float(len(held))
            continue
        value = pairs.value_of(transaction)
        if value is not None:
            vector[place] = 0.0 if code(value) in held else 1.0


def _finish_places(vector: Vector, places: Places, transaction: Transaction, latest: int) -> None:
    here = place_of(transaction)
    last = places.read(transaction.timestamp, latest)
    if here is None or last is None:
        return
    for place, feature in places.plan.features:
        vector[place] = over_place(feature.aggregation, last, transaction.timestamp, here)


def _finish_labels(vector: Vector, labels: Labels, time: int, latest: int) -> None:
    read: dict[Window, tuple[int, int]] = {}
    for place, feature in labels.plan.features:
        window = feature.window
        assert window is not None
        counted = read.get(window)
        if counted is None:
            counted = read[window] = labels.read(window, time, latest)
        vector[place] = over_labels(feature.aggregation, *counted)
