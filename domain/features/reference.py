"""Owns the naive features: recomputed from the whole list of events; no tiles, stores or caches.

Written from the contract line by line, so that the engines can be judged against it. Slow.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

from domain.features.catalogue import CATALOGUE
from domain.features.coordinates import EARTH_RADIUS_KM, SCALE
from domain.features.declarations import Aggregation, Feature, Field, Filter, Window
from domain.features.entities import entity_keys
from domain.features.events import FeatureEvent, code, place_of
from domain.features.feature_set import FeatureSet
from domain.features.request import REQUEST
from domain.transactions import Transaction

Events = Sequence[FeatureEvent]


def reference_vector(
    events: Events, transaction: Transaction, features: FeatureSet = CATALOGUE
) -> list[float | None]:
    """The vector of `transaction` over the set `events`, each fact once and in any order."""
    vector: list[float | None] = []
    for feature in features.features:
        value = _value(events, transaction, feature, features)
        vector.append(feature.default if value is None else value)
    return vector


def _value(events: Events, x: Transaction, feature: Feature, features: FeatureSet) -> float | None:
    if feature.entity is None:
        assert feature.field is not None
        return REQUEST[feature.field](x)
    key = entity_keys(x).get(feature.entity)
    if key is None:
        return None
    history = [
        event
        for event in events
        if entity_keys(event).get(feature.entity) == key
        and (event.kind == "label" or event.transaction_id != x.transaction_id)
    ]
    if feature.field is Field.LABEL:
        labels = [event for event in history if event.kind == "label"]
        return _of_labels(labels, x, feature, features.by_entity[feature.entity])
    return _of_transactions([e for e in history if e.kind == "transaction"], x, feature)


def _in_horizon(events: Events, window: Window) -> list[FeatureEvent]:
    greatest = max((event.time for event in events), default=0)
    oldest = (greatest - window.horizon) // window.tile
    return [event for event in events if event.time // window.tile >= oldest]


def _of_transactions(history: Events, x: Transaction, feature: Feature) -> float | None:
    window = feature.window
    assert window is not None
    g, t = window.tile, x.timestamp
    kept = [event for event in _in_horizon(history, window) if _passes(event, feature.filter)]
    if feature.aggregation in (Aggregation.DISTINCT, Aggregation.IS_NEW):
        return _of_values(kept, x, feature, window)
    held = [e for e in kept if (t - window.span) // g <= e.time // g <= t // g]
    if feature.aggregation in (Aggregation.DISTANCE, Aggregation.SPEED):
        return _of_places(held, x, feature)
    if feature.aggregation is Aggregation.SINCE_LAST:
        if not held:
            return None
        return float(max(t - max(e.time for e in held), 0)) / 3600000000.0
    return _of_amounts([e.base_amount for e in held], x.base_amount, feature.aggregation)


def _passes(event: FeatureEvent, asked: Filter | None) -> bool:
    if asked is Filter.DECLINED:
        return event.outcome == "decline"
    if asked is Filter.REMOTE:
        return event.channel in ("ecom", "moto")
    return True


def _of_amounts(amounts: list[int], own: int, aggregation: Aggregation) -> float | None:
    n, total = len(amounts), sum(amounts)
    spread = n * sum(amount * amount for amount in amounts) - total * total
    if aggregation is Aggregation.COUNT:
        return float(n)
    if aggregation is Aggregation.SUM:
        return float(total) / 100.0
    if n == 0:
        return None
    if aggregation is Aggregation.MEAN:
        return float(total) / 100.0 / float(n)
    if aggregation is Aggregation.MIN:
        return float(min(amounts)) / 100.0
    if aggregation is Aggregation.MAX:
        return float(max(amounts)) / 100.0
    if aggregation is Aggregation.RATIO_TO_MEAN:
        return float(own) * float(n) / float(total) if total else None
    if aggregation is Aggregation.RATIO_TO_MAX:
        return float(own) / float(max(amounts)) if max(amounts) else None
    if aggregation is Aggregation.STD:
        return sqrt(float(spread)) / float(n) / 100.0 if n > 1 else None
    assert aggregation is Aggregation.Z_SCORE
    return float(own * n - total) / sqrt(float(spread)) if spread else None


def _of_values(kept: Events, x: Transaction, feature: Feature, window: Window) -> float | None:
    """The cap keeps the greatest pairs of tile and value, over the whole horizon."""
    assert feature.field is not None
    assert feature.cap is not None
    g, t, field = window.tile, x.timestamp, feature.field.value
    seen = {(e.time // g, code(v)) for e in kept if (v := getattr(e, field)) is not None}
    latest = sorted(seen)[-feature.cap :]
    held = {v for tile, v in latest if (t - window.span) // g <= tile <= t // g}
    if feature.aggregation is Aggregation.DISTINCT:
        return float(len(held))
    own = getattr(x, field)
    if own is None:
        return None
    return 0.0 if code(own) in held else 1.0


def _of_places(held: Events, x: Transaction, feature: Feature) -> float | None:
    here = place_of(x)
    placed = [event for event in held if event.place is not None]
    if here is None or not placed:
        return None
    last = max(placed, key=lambda event: (event.time, event.order))
    assert last.place is not None
    square = sum((a - b) * (a - b) for a, b in zip(here, last.place, strict=True))
    km = sqrt(float(square)) * (EARTH_RADIUS_KM / SCALE)
    if feature.aggregation is Aggregation.DISTANCE:
        return km
    hours = float(max(x.timestamp - last.time, 0)) / 3600000000.0
    return km / max(hours, 1.0 / 60.0)


def _of_labels(
    labels: Events, x: Transaction, feature: Feature, siblings: Sequence[Feature]
) -> float | None:
    """Bounded by the longest window of the entity's label features, then by the cap."""
    window = feature.window
    assert window is not None
    assert feature.cap is not None
    longest = max(
        (f.window for f in siblings if f.field is Field.LABEL and f.window is not None),
        key=lambda w: (w.span, w.tile),
    )
    by_age = sorted(_in_horizon(labels, longest), key=lambda e: (e.time, e.order))
    g, t = window.tile, x.timestamp
    standing: dict[str, FeatureEvent] = {}
    for label in by_age[-feature.cap :]:
        if label.time // g < t // g:
            standing[label.transaction_id] = label
    held = [e for e in standing.values() if e.time // g >= (t - window.span) // g]
    fraud = sum(event.label or 0 for event in held)
    if feature.aggregation is Aggregation.LABEL_COUNT:
        return float(len(held))
    if feature.aggregation is Aggregation.FRAUD_COUNT:
        return float(fraud)
    return float(fraud) / float(len(held)) if held else None
