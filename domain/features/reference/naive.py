"""Naive features, recomputed from the whole list of events: no tiles, stores or caches.

Written from the contract line by line and with Python's own integers, so that the engines can be
tested against it: it shares no line with the kernel. Slow.
"""

from collections.abc import Mapping, Sequence
from math import sqrt

from domain.features.coordinates import EARTH_RADIUS_KM, SCALE
from domain.features.declarations.catalogue import CATALOGUE
from domain.features.declarations.feature import (
    OF_BASELINE,
    OF_VALUES,
    Aggregation,
    Feature,
    Field,
    Filter,
)
from domain.features.declarations.feature_set import FeatureSet
from domain.features.declarations.windows import Window
from domain.features.entities import Entity, NamesEntities, entity_keys
from domain.features.events import FeatureEvent, code, place_of
from domain.features.reference.labels import of_labels
from domain.times import HOUR, to_datetime
from domain.transactions import Transaction

Events = Sequence[FeatureEvent]

_QUARTER = (
    0.0,
    0.25881904510252074,
    0.5,
    0.7071067811865476,
    0.8660254037844386,
    0.9659258262890683,
)
_HALF = (*_QUARTER, 1.0, *_QUARTER[:0:-1])
# sin of 0, 15 ... 345 degrees, one per hour, correctly rounded.
_SIN = (*_HALF, *(0.0 - value for value in _HALF))


def reference_vector(
    events: Events, transaction: Transaction, features: FeatureSet = CATALOGUE
) -> list[float | None]:
    """The vector of `transaction` over the set `events`, each fact once.

    Partitions may be interleaved in any way; the labels of a transaction are in the log's order.
    """
    others = [
        (event, entity_keys(event))
        for event in events
        if event.kind != "transaction" or event.transaction_id != transaction.transaction_id
    ]
    histories = {
        entity: [event for event, named in others if named.get(entity) == key]
        for entity, key in entity_keys(transaction).items()
    }
    vector: list[float | None] = []
    for feature in features.features:
        value = _value(histories, transaction, feature)
        vector.append(feature.default if value is None else value)
    return vector


def _value(histories: Mapping[Entity, Events], x: Transaction, feature: Feature) -> float | None:
    """`histories` are of the entities that `x` names."""
    if feature.entity is None:
        return _of_request(x, feature.field)
    history = histories.get(feature.entity)
    if history is None:
        return None
    if feature.field is Field.LABEL:
        labels = [event for event in history if event.kind == "label"]
        return of_labels(labels, x.timestamp, feature)
    return _of_transactions([e for e in history if e.kind != "label"], x, feature)


def _of_request(x: Transaction, field: Field | None) -> float | None:
    hour = x.timestamp // HOUR % 24
    if field is Field.AMOUNT:
        return float(x.base_amount) / 100.0
    if field is Field.HOUR_SIN:
        return _SIN[hour]
    if field is Field.HOUR_COS:
        return _SIN[(hour + 6) % 24]
    if field is Field.NIGHT:
        return 1.0 if hour < 6 else 0.0
    if field is Field.WEEKEND:
        return 1.0 if to_datetime(x.timestamp).isoweekday() in (6, 7) else 0.0
    if x.channel is None:
        return None
    return 1.0 if x.channel in ("ecom", "moto") else 0.0


def _in_horizon(events: Events, window: Window) -> list[FeatureEvent]:
    greatest = max((event.time for event in events), default=0)
    oldest = (greatest - window.horizon) // window.tile
    return [event for event in events if event.time // window.tile >= oldest]


def _of_transactions(history: Events, x: Transaction, feature: Feature) -> float | None:
    window = feature.window
    assert window is not None
    g, t = window.tile, x.timestamp
    kept = [event for event in _in_horizon(history, window) if _passes(event, feature.filter)]
    if feature.aggregation is Aggregation.DISTINCT:
        return _distinct(kept, x, feature, window)
    if feature.aggregation is Aggregation.IS_NEW:
        return _is_new(kept, x, feature, window)
    if feature.aggregation in OF_VALUES:
        return _of_values(history, x, feature)
    held = [e for e in kept if (t - window.span) // g <= e.time // g <= t // g]
    if feature.aggregation in (Aggregation.DISTANCE, Aggregation.SPEED):
        return _of_places(held, x, feature)
    if feature.aggregation is Aggregation.SINCE_LAST:
        if not held:
            return None
        return float(max(t - max(e.time for e in held), 0)) / 3600000000.0
    if feature.aggregation is Aggregation.SINCE_FIRST:
        if not held:
            return None
        return float(max(t - min(e.time for e in held), 0)) / 3600000000.0
    if feature.aggregation is Aggregation.HOUR_DEVIATION:
        return _hour_deviation([e.time // HOUR % 24 for e in held], t // HOUR % 24)
    return _of_amounts([e.base_amount for e in held], x.base_amount, feature.aggregation)


def _id(source: NamesEntities, field: Field) -> str | None:
    """The payer is the customer, or else the card."""
    if field is Field.PAYER:
        return source.card_id if source.customer_id is None else source.customer_id
    value: str | None = getattr(source, field.value)
    return value


def _passes(event: FeatureEvent, asked: Filter | None) -> bool:
    if asked is Filter.STEP_UP_FAILED:
        return event.kind == "step_up" and event.outcome != "passed"
    if asked is Filter.STEP_UP_PASSED:
        return event.kind == "step_up" and event.outcome == "passed"
    if event.kind == "step_up":
        return False
    if asked is Filter.DECLINED:
        return event.outcome == "decline"
    if asked is Filter.REMOTE:
        return event.channel in ("ecom", "moto")
    if asked is Filter.APPROVED:
        return event.outcome == "approve"
    return True


def _hour_deviation(hours: list[int], own: int) -> float | None:
    """Sines in 1/4096, to the nearest integer."""
    x = sum(round(4096 * _SIN[(hour + 6) % 24]) for hour in hours)
    y = sum(round(4096 * _SIN[hour]) for hour in hours)
    if not x and not y:
        return None
    across, up = float(round(4096 * _SIN[(own + 6) % 24])), float(round(4096 * _SIN[own]))
    fx, fy = float(x), float(y)
    return 1.0 - (across * fx + up * fy) / (4096.0 * sqrt(fx * fx + fy * fy))


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


def _distinct(kept: Events, x: Transaction, feature: Feature, window: Window) -> float:
    """Exact where no tile of the window has more ids than the cap, else from a sample of them.

    The level L of a tile is the least for which at most `cap` of its digests end in L zero bits;
    the window counts the digests that end in as many as its highest level says, 2^L times each.
    """
    assert feature.field is not None
    assert feature.cap is not None
    g, t, field = window.tile, x.timestamp, feature.field
    tiles: dict[int, set[int]] = {}
    for e in kept:
        if (value := _id(e, field)) is not None and (
            (t - window.span) // g <= e.time // g <= t // g
        ):
            tiles.setdefault(e.time // g, set()).add(code(value))
    level = 0
    for codes in tiles.values():
        while sum(each % 2**level == 0 for each in codes) > feature.cap:
            level += 1
    held = {each for codes in tiles.values() for each in codes if each % 2**level == 0}
    return float(len(held)) * 2.0**level


def _is_new(kept: Events, x: Transaction, feature: Feature, window: Window) -> float | None:
    """The cap keeps the greatest pairs of tile and id, over the whole horizon."""
    assert feature.field is not None
    assert feature.cap is not None
    g, t, field = window.tile, x.timestamp, feature.field
    own = _id(x, field)
    if own is None:
        return None
    seen = {(e.time // g, code(v)) for e in kept if (v := _id(e, field)) is not None}
    latest = sorted(seen)[-feature.cap :]
    held = {v for tile, v in latest if (t - window.span) // g <= tile <= t // g}
    return 0.0 if code(own) in held else 1.0


def _of_values(history: Events, x: Transaction, feature: Feature) -> float | None:
    """Quantiles by nearest rank over the latest `cap` amounts of the window, or the baseline."""
    over, g_of = feature.baseline or feature.window, feature.window
    assert over is not None
    assert g_of is not None
    assert feature.cap is not None
    assert feature.quantile is not None
    kept = [e for e in _in_horizon(history, over) if _passes(e, feature.filter)]
    latest = sorted(kept, key=lambda e: (e.time, e.order))[-feature.cap :]
    held = _within(latest, over, x.timestamp)
    if feature.aggregation is Aggregation.HIGH_COUNT and not held:
        return 0.0
    if not held:
        return None
    amounts = [e.base_amount for e in held]
    value = _quantile(amounts, feature.quantile)
    if feature.aggregation in OF_BASELINE:
        return _against(_within(held, g_of, x.timestamp), value, x.timestamp, feature)
    if feature.aggregation is Aggregation.QUANTILE:
        return float(value) / 100.0
    if feature.aggregation is Aggregation.ROBUST_Z:
        deviation = _quantile([abs(amount - value) for amount in amounts], feature.quantile)
        return float(x.base_amount - value) / float(deviation) if deviation else None
    if feature.aggregation is Aggregation.RATIO_TO_CORE_MEAN:
        core = [amount for amount in amounts if amount <= (feature.times or 1) * value]
        return float(x.base_amount) * float(len(core)) / float(sum(core)) if sum(core) else None
    return float(x.base_amount) / float(value) if value else None


def _quantile(amounts: list[int], thousandths: int) -> int:
    """By nearest rank."""
    rank = -(-len(amounts) * thousandths // 1000)
    return sorted(amounts)[max(rank, 1) - 1]


def _against(recent: Events, value: int, t: int, feature: Feature) -> float | None:
    """What is recent, held against a quantile of the baseline."""
    if feature.aggregation is Aggregation.MAX_TO_QUANTILE:
        greatest = max((e.base_amount for e in recent), default=0)
        return float(greatest) / float(value) if recent and value else None
    high = [e.time for e in recent if e.base_amount > (feature.times or 1) * value]
    if feature.aggregation is Aggregation.HIGH_COUNT:
        return float(len(high))
    if not high:
        return None
    then = max(high) if feature.aggregation is Aggregation.SINCE_HIGH else min(high)
    return float(max(t - then, 0)) / 3600000000.0


def _within(events: Events, window: Window, t: int) -> list[FeatureEvent]:
    g = window.tile
    return [e for e in events if (t - window.span) // g <= e.time // g <= t // g]


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
