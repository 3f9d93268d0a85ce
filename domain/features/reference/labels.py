"""Naive label features; those over transactions are in naive.py."""

from collections.abc import Sequence

from domain.features.declarations.feature import Aggregation, Feature
from domain.features.events import FeatureEvent
from domain.times import to_datetime

Events = Sequence[FeatureEvent]

_OF_SOME = {
    Aggregation.FRAUD_MEAN,
    Aggregation.LAST_FRAUD,
    Aggregation.SINCE_FRAUD,
    Aggregation.SINCE_FIRST_FRAUD,
    Aggregation.SINCE_GENUINE,
}


def of_labels(labels: Events, t: int, feature: Feature) -> float | None:
    """Bounded by the horizon of its own window, and by the cap.

    Of each transaction the last in the log's order counts, of those that are known.
    """
    window = feature.window
    assert window is not None
    assert feature.cap is not None
    by_age = sorted(labels, key=lambda e: (e.time, e.order))[-feature.cap :]
    g = window.tile
    greatest = max((event.time for event in labels), default=0)
    oldest = max(t - window.span, greatest - window.horizon) // g
    standing: dict[str, FeatureEvent] = {}
    for label in labels:
        if label.time // g < t // g:
            standing[label.transaction_id] = label
    held = [e for e in by_age if standing.get(e.transaction_id) is e and e.time // g >= oldest]
    values = [event.label or 0 for event in held]
    if feature.aggregation is Aggregation.LABEL_COUNT:
        return float(len(held))
    if feature.aggregation is Aggregation.FRAUD_COUNT:
        return float(sum(values))
    if feature.aggregation is Aggregation.FRAUD_RATE:
        return float(sum(values)) / float(len(held)) if held else None
    if feature.aggregation in _OF_SOME:
        return _of_some(held, t, feature.aggregation)
    last = feature.last or 0
    if feature.aggregation is Aggregation.FRAUD_OF_LAST:
        return float(sum(values[-last:]))
    if feature.aggregation is Aggregation.NTH_LAST_LABEL:
        return float(values[-last]) if len(values) >= last else None
    run = len(values) - max((i + 1 for i, value in enumerate(values) if not value), default=0)
    if feature.aggregation is Aggregation.FRAUD_RUN:
        return float(run)
    return _of_run(held[-run:], t, feature.aggregation) if run else None


def _of_run(run: Events, t: int, aggregation: Aggregation) -> float:
    amounts = [label.base_amount for label in run]
    if aggregation is Aggregation.FRAUD_RUN_MIN:
        return float(min(amounts)) / 100.0
    if aggregation is Aggregation.FRAUD_RUN_MEAN:
        return float(sum(amounts)) / 100.0 / float(len(amounts))
    if aggregation is Aggregation.FRAUD_RUN_DAYS:
        return float((to_datetime(t).date() - to_datetime(run[0].time).date()).days)
    return float(t - run[0].time) / 3600000000.0


def _of_some(held: Events, t: int, aggregation: Aggregation) -> float | None:
    wanted = 0 if aggregation is Aggregation.SINCE_GENUINE else 1
    kind = [label for label in held if label.label == wanted]
    if not kind:
        return None
    if aggregation is Aggregation.FRAUD_MEAN:
        return float(sum(label.base_amount for label in kind)) / 100.0 / float(len(kind))
    if aggregation is Aggregation.LAST_FRAUD:
        return float(kind[-1].base_amount) / 100.0
    one = kind[0] if aggregation is Aggregation.SINCE_FIRST_FRAUD else kind[-1]
    return float(t - one.time) / 3600000000.0
