"""Generated streams of facts: ties, late ones, gaps, reversals, huge and tiny amounts."""

import math
import struct
from typing import NamedTuple

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from domain.features import Entity, EntityState, FeatureEvent, FeatureSet, entity_keys
from domain.features.coordinates import unit_vector
from domain.features.declarations.feature import (
    CAPPED,
    OF_BASELINE,
    OF_LABELS,
    OF_LAST,
    OF_TIMES,
    OF_VALUES,
    Aggregation,
    Feature,
    Field,
    Filter,
    fields_of,
)
from domain.features.declarations.windows import Window
from domain.features.events import digest
from domain.times import DAY, HOUR, MINUTE
from domain.transactions import Transaction

T0 = 19_700 * DAY  # the start of a tile at every resolution
PARTITIONS = 3

AMOUNTS = st.one_of(
    st.sampled_from([0, 1, 100, 10**12, 10**12 - 1, 2**53 + 1]), st.integers(0, 50_000)
)
LATS = st.sampled_from([None, -90.0, 0.0, 48.137, 52.52])
LONS = st.sampled_from([None, -180.0, 0.0, 11.575, 13.405])


def examples(number: int) -> settings:
    """So many streams; how long one takes to draw on a busy machine is no failure."""
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large]
    return settings(max_examples=number, deadline=None, suppress_health_check=slow)


class Placed(NamedTuple):
    """One fact at its place in the log."""

    partition: int
    offset: int
    event: FeatureEvent


def times(reach: int) -> st.SearchStrategy[int]:
    """Within `reach`; many equal, on the edges of tiles and one microsecond beside them."""
    edges = st.builds(
        lambda tile, step: tile * 5 * MINUTE + step,
        st.integers(0, reach // (5 * MINUTE)),
        st.sampled_from([-1, 0, 1]),
    )
    near = st.integers(0, 100)
    # One time and the last moments of its span and of its horizon, which then meet often.
    ends = st.sampled_from([reach, reach - 3 * HOUR, reach - 3 * HOUR - 1, reach - 2 * HOUR])
    return st.one_of(edges, near, ends, st.integers(0, reach)).map(lambda offset: T0 + offset)


@st.composite
def logs(draw: st.DrawFn, reach: int = 9 * HOUR, size: int = 25) -> list[Placed]:
    """Facts in the order of their arrival; each partition counts its own offsets, with gaps."""
    facts: list[tuple[str, FeatureEvent]] = []
    known: list[FeatureEvent] = []
    for number in range(draw(st.integers(0, size))):
        if known and draw(st.integers(0, 2)) == 0:
            of = draw(st.sampled_from(known))
            make = draw(st.sampled_from([_label, _label, _step_up]))
            facts.append(make(draw, of, number, reach))
        else:
            event = _transaction(draw, f"t{number}", draw(times(reach)))
            known.append(event)
            facts.append((event.transaction_id, event))
    ends = [0] * PARTITIONS
    placed: list[Placed] = []
    for transaction_id, event in facts:
        partition = digest(transaction_id) % PARTITIONS
        placed.append(Placed(partition, ends[partition], event))
        ends[partition] += draw(st.integers(1, 3))
    return placed


def _transaction(draw: st.DrawFn, transaction_id: str, time: int) -> FeatureEvent:
    x, y, z = _place(draw) or (None, None, None)
    return FeatureEvent(
        "transaction",
        time,
        digest(transaction_id),
        time,
        transaction_id,
        time,
        draw(AMOUNTS),
        draw(st.sampled_from(["card", None, "other"])),
        draw(st.sampled_from(["ann", "ann", "ann", None, "bob"])),
        draw(st.sampled_from(["shop", "shop", "shop", None, "bar", "pub"])),
        draw(st.sampled_from([None, "phone", "desk"])),
        draw(st.sampled_from([None, "::1"])),
        draw(st.sampled_from([None, "DE", "FR"])),
        draw(st.sampled_from([None, "pos", "ecom"])),
        x,
        y,
        z,
        draw(st.sampled_from([None, "approve", "decline"])),
    )


def _place(draw: st.DrawFn) -> tuple[int, int, int] | None:
    lat, lon = draw(LATS), draw(LONS)
    return None if lat is None or lon is None else unit_vector(lat, lon)


def _label(draw: st.DrawFn, of: FeatureEvent, number: int, reach: int) -> tuple[str, FeatureEvent]:
    known = draw(times(reach))
    event = of._replace(
        kind="label",
        time=known,
        order=digest(f"label{number}"),
        known_time=known,
        country=None,
        channel=None,
        x=None,
        y=None,
        z=None,
        outcome=None,
        label=draw(st.integers(0, 1)),
    )
    return of.transaction_id, event


def _step_up(draw: st.DrawFn, of: FeatureEvent, number: int, _: int) -> tuple[str, FeatureEvent]:
    """Admission lets one of a transaction through; here there may be several."""
    event = of._replace(
        kind="step_up",
        order=digest(f"step-up{number}"),
        country=None,
        channel=None,
        x=None,
        y=None,
        z=None,
        outcome=draw(st.sampled_from(["passed", "failed", "abandoned"])),
    )
    return of.transaction_id, event


def transactions(reach: int = 9 * HOUR) -> st.SearchStrategy[Transaction]:
    """One to be decided: at any time, late ones and ones long after the last event too."""
    return st.builds(
        Transaction,
        transaction_id=st.just("x"),
        timestamp=st.one_of(times(reach), times(2 * reach)),
        amount=st.just(1),
        currency=st.just("EUR"),
        base_amount=AMOUNTS,
        card_id=st.sampled_from(["card", None, "unseen"]),
        customer_id=st.sampled_from(["ann", "ann", None]),
        merchant_id=st.sampled_from(["shop", "shop", None, "unseen"]),
        device_id=st.sampled_from([None, "phone"]),
        ip=st.sampled_from([None, "::1"]),
        country=st.sampled_from([None, "DE", "IT"]),
        lat=LATS,
        lon=LONS,
        channel=st.sampled_from([None, "pos", "ecom"]),
    )


def folded(
    log: list[Placed], transaction: Transaction, features: FeatureSet
) -> dict[Entity, EntityState]:
    """The states of all that `transaction` names, folded in the order of `log`."""
    keys = entity_keys(transaction)
    states = {entity: EntityState(entity, key, features) for entity, key in keys.items()}
    for partition, offset, event in log:
        for entity, key in entity_keys(event).items():
            if keys.get(entity) == key:
                states[entity].fold(partition, offset, event)
    return states


BASELINE = Window("1h", HOUR, 2 * MINUTE)


def every_kind() -> FeatureSet:
    """Each aggregation on each field, under each filter, over small windows and tiny caps."""
    windows = [
        Window("2h", 2 * HOUR, 5 * MINUTE),
        Window("30m", 30 * MINUTE, MINUTE),
        Window("60us", 60, 1),
    ]
    features: list[Feature] = []
    for aggregation in Aggregation:
        fields: list[Field | None] = [*sorted(fields_of(aggregation))]
        for field in fields or [None]:
            for window in windows:
                features += _kinds(aggregation, field, window)
    return FeatureSet(features)


def _kinds(aggregation: Aggregation, field: Field | None, window: Window) -> list[Feature]:
    name = f"{aggregation.name}_{field.name if field else ''}_{window.name}".lower()
    if aggregation is Aggregation.REQUEST:
        if window.name != "2h":
            return []
        return [Feature(name=name, meaning="m", aggregation=aggregation, field=field)]
    of_labels = aggregation in OF_LABELS
    filters = [None] if of_labels else [None, Filter.DECLINED, Filter.REMOTE, Filter.STEP_UP_FAILED]
    return [
        Feature(
            name=f"{entity}_{name}_{asked.name.lower() if asked else 'all'}",
            meaning="m",
            aggregation=aggregation,
            entity=entity,
            field=field,
            window=window,
            filter=asked,
            cap=(4 if aggregation in OF_VALUES else 2) if aggregation in CAPPED else None,
            quantile=400 if aggregation in OF_VALUES else None,
            baseline=BASELINE if aggregation in OF_BASELINE else None,
            times=2 if aggregation in OF_TIMES else None,
            last=2 if aggregation in OF_LAST else None,
            default=-1.0 if aggregation is Aggregation.MIN else None,
        )
        for entity in (Entity.PAYER, Entity.MERCHANT, Entity.PAYER_MERCHANT)
        for asked in filters
    ]


SMALL = every_kind()
CATALOGUE_REACH = 45 * DAY


def bits(values: list[float | None]) -> list[bytes | None]:
    """A vector's bits; unknown is None, or NaN."""
    return [None if v is None or math.isnan(v) else struct.pack("<d", v) for v in values]


def numbered(log: list[Placed]) -> tuple[dict[Entity, np.ndarray], dict[Entity, list[str]]]:
    codes = {entity: np.full(len(log), -1, dtype=np.int64) for entity in Entity}
    keys: dict[Entity, list[str]] = {entity: [] for entity in Entity}
    for at, (_, _, event) in enumerate(log):
        for entity, key in entity_keys(event).items():
            if key not in keys[entity]:
                keys[entity].append(key)
            codes[entity][at] = keys[entity].index(key)
    return codes, keys
