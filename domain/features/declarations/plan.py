"""The kernel's plan: tables compiled from the declarations of a feature set.

Features of one entity share a store where window, filter, field and cap agree, so that each event
is folded once for them and read in one pass.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from domain.features.declarations.feature import (
    OF_IDS,
    OF_LABELS,
    OF_PLACES,
    OF_VALUES,
    SEMANTICS,
    Aggregation,
    Feature,
    Field,
)
from domain.features.declarations.filters import FILTER_BITS, ID_COLUMNS
from domain.features.declarations.windows import Window
from domain.features.entities import Entity
from domain.features.kernel import layout as at

Ints = NDArray[np.int64]
Numbered = tuple[int, Feature]

_NUMBER = {aggregation: place for place, aggregation in enumerate(Aggregation)}
_REQUEST = {
    Field.AMOUNT: at.R_AMOUNT,
    Field.HOUR_SIN: at.R_HOUR_SIN,
    Field.HOUR_COS: at.R_HOUR_COS,
    Field.NIGHT: at.R_NIGHT,
    Field.WEEKEND: at.R_WEEKEND,
    Field.REMOTE: at.R_REMOTE,
}
_A = Aggregation
_SUMMED = {_A.SUM, _A.MEAN, _A.STD, _A.RATIO_TO_MEAN, _A.Z_SCORE}
_SQUARED = {_A.STD, _A.Z_SCORE}
# The columns that a tile has beside its number and its count, and who asks for them.
_CHANNELS: tuple[tuple[int, set[Aggregation]], ...] = (
    (at.C_SUM, _SUMMED),
    (at.C_HIGH, _SQUARED),
    (at.C_LOW, _SQUARED),
    (at.C_LEAST, {_A.MIN}),
    (at.C_GREATEST, {_A.MAX, _A.RATIO_TO_MAX}),
    (at.C_FIRST, {_A.SINCE_FIRST}),
    (at.C_LATEST, {_A.SINCE_LAST}),
    (at.C_HOUR_X, {_A.HOUR_DEVIATION}),
    (at.C_HOUR_Y, {_A.HOUR_DEVIATION}),
)
_COLUMNS = {at.SKETCH: 2, at.PAIRS: 2, at.VALUES: 3, at.PLACES: 6, at.LABELS: 6, at.REQUEST: 0}


@dataclass(frozen=True, eq=False, slots=True)
class Plan:
    """`stores` is int64 [stores, S_WIDTH], `features` [features, F_WIDTH]; `size` int64 of memory.

    `digest` (32 bits) tells the states of another layout apart. `spare` is the memory beside that
    one store needs at the most to be finished, and `cached` what stores keep behind it from one
    finish to the next. `describes` names each store, for statistics.
    """

    entity: Entity | None
    stores: Ints
    features: Ints
    digest: int
    size: int
    spare: int
    cached: int
    describes: tuple[str, ...]


def plan_for(entity: Entity | None, features: Iterable[Feature]) -> Plan:
    """Of None: the plain values of the request."""
    groups: dict[tuple[object, ...], list[Numbered]] = {}
    for place, feature in enumerate(features):
        if feature.entity is entity:
            groups.setdefault(_store_key(feature), []).append((place, feature))
    rows: list[list[int]] = []
    stores: list[list[int]] = []
    base = 0
    for members in groups.values():
        store = _store(members)
        store[at.S_BASE], store[at.S_FIRST] = base, len(rows)
        rows.extend(_feature(place, feature) for place, feature in members)
        store[at.S_LAST] = len(rows)
        _alike(rows[store[at.S_FIRST] :])
        base += store[at.S_STRIDE] * store[at.S_COLUMNS]
        stores.append(store)
    spare = max((_spare(store) for store in stores), default=0)
    cached = _place_caches(stores, spare)
    layout = [[value for c, value in enumerate(s) if c not in _READING] for s in stores]
    hashed = sha256(repr((SEMANTICS, layout)).encode()).digest()
    return Plan(
        entity,
        np.array(stores, dtype=np.int64).reshape(len(stores), at.S_WIDTH),
        np.array(rows, dtype=np.int64).reshape(len(rows), at.F_WIDTH),
        int.from_bytes(hashed[:4], "little"),
        base,
        spare,
        cached,
        tuple(_described(members) for members in groups.values()),
    )


@dataclass(frozen=True, eq=False, slots=True)
class JoinedPlan:
    """Plans one behind the other: a call takes the states of several.

    `spans` is int64 [plans, 5]: where the stores and the features of each begin and end, and its
    digest. `size` and `spare` are the greatest of them, `cached` the sum.
    """

    stores: Ints
    features: Ints
    spans: Ints
    size: int
    spare: int
    cached: int


def joined(plans: Sequence[Plan]) -> JoinedPlan:
    spans, tables, stores, features = [], [], 0, 0
    spare, cached = max(plan.spare for plan in plans), 0
    for plan in plans:
        ends = stores + len(plan.stores), features + len(plan.features)
        spans.append([stores, ends[0], features, ends[1], plan.digest])
        stores, features = ends
        table = plan.stores.copy()
        table[table[:, at.S_KIND] == at.VALUES, at.S_CACHE] += spare + cached - plan.spare
        cached += plan.cached
        tables.append(table)
    return JoinedPlan(
        np.concatenate(tables),
        np.concatenate([plan.features for plan in plans]),
        np.array(spans, dtype=np.int64),
        max(plan.size for plan in plans),
        spare,
        cached,
    )


# Columns that say how a state is read, and nothing of how it is kept.
_READING = {at.S_FIRST, at.S_LAST, at.S_CACHE}


def _spare(store: Sequence[int]) -> int:
    asked = store[at.S_LAST] - store[at.S_FIRST] if store[at.S_KIND] == at.LABELS else 0
    return store[at.S_STRIDE] + asked


def _place_caches(stores: list[list[int]], spare: int) -> int:
    """Says where each lies, one behind the other; returns the length of all."""
    cached = 0
    for store in stores:
        if store[at.S_KIND] == at.VALUES:
            store[at.S_CACHE] = spare + cached
            cached += 1 + 2 * store[at.S_STRIDE]
    return cached


def _alike(rows: list[list[int]]) -> None:
    seen: dict[tuple[int, ...], int] = {}
    for number, row in enumerate(rows):
        window = (row[at.F_SPAN], row[at.F_TILE], row[at.F_HORIZON], row[at.F_CAP])
        row[at.F_LIKE] = seen.setdefault(window, number)


def _kind(aggregation: Aggregation) -> int:
    if aggregation is Aggregation.REQUEST:
        return at.REQUEST
    if aggregation in OF_LABELS:
        return at.LABELS
    if aggregation in OF_IDS:
        return at.SKETCH if aggregation is Aggregation.DISTINCT else at.PAIRS
    if aggregation in OF_VALUES:
        return at.VALUES
    return at.PLACES if aggregation in OF_PLACES else at.TILES


def _kept(feature: Feature) -> Window | None:
    """The window that the store is kept for."""
    return feature.baseline or feature.window


def _store_key(feature: Feature) -> tuple[object, ...]:
    kind = _kind(feature.aggregation)
    if kind in (at.LABELS, at.REQUEST):
        return (kind,)
    field = feature.field if kind in (at.SKETCH, at.PAIRS) else None
    return (kind, _kept(feature), feature.filter, field, feature.cap)


def _store(members: list[Numbered]) -> list[int]:
    """A row of the table of stores, but for where it lies."""
    first = members[0][1]
    kind = _kind(first.aggregation)
    store = [-1] * at.S_WIDTH
    store[at.S_KIND] = kind
    store[at.S_FILTER] = FILTER_BITS[first.filter] if first.filter else 0
    store[at.S_FIELD] = ID_COLUMNS.get(first.field, 0) if first.field else 0
    store[at.S_CAP] = max([f.cap or 0 for _, f in members])
    store[at.S_COLUMNS] = _COLUMNS.get(kind, 0)
    window = _kept(first)
    store[at.S_STRIDE] = store[at.S_HORIZON] = store[at.S_SPAN] = 0
    store[at.S_TILE] = 1
    if window is not None:
        store[at.S_TILE], store[at.S_SPAN] = window.tile, window.span
        store[at.S_HORIZON] = window.horizon
        if kind == at.LABELS:
            windows = [f.window for _, f in members if f.window]
            store[at.S_TILE] = 1
            store[at.S_HORIZON] = max(w.horizon + w.tile for w in windows)
        if kind == at.TILES:
            _channels(store, {feature.aggregation for _, feature in members})
        store[at.S_STRIDE] = _stride(store)
    return store


def _channels(store: list[int], asked: set[Aggregation]) -> None:
    store[at.S_COLUMNS] = 2
    for channel, wanted in _CHANNELS:
        if asked & wanted:
            store[channel] = store[at.S_COLUMNS]
            store[at.S_COLUMNS] += 1


def _stride(store: list[int]) -> int:
    """Room for what may be kept at once, and some, so that it is not moved at every step."""
    tiles = store[at.S_HORIZON] // store[at.S_TILE] + 2
    kind, cap = store[at.S_KIND], store[at.S_CAP]
    most = tiles if kind in (at.TILES, at.PLACES) else cap + 1
    if kind == at.SKETCH:
        most = tiles * (cap + 2)
    return most + max(32, most // 4)


def _feature(place: int, feature: Feature) -> list[int]:
    row = [0] * at.F_WIDTH
    row[at.F_AGGREGATION], row[at.F_OUT] = _NUMBER[feature.aggregation], place
    if feature.aggregation is Aggregation.REQUEST:
        assert feature.field is not None
        row[at.F_NUMBER] = _REQUEST[feature.field]
        return row
    assert feature.window is not None
    row[at.F_SPAN], row[at.F_TILE] = feature.window.span, feature.window.tile
    row[at.F_HORIZON] = feature.window.horizon
    row[at.F_NUMBER] = feature.quantile or feature.last or 0
    row[at.F_CAP], row[at.F_TIMES] = feature.cap or 0, feature.times or 1
    return row


def _described(members: list[Numbered]) -> str:
    first = members[0][1]
    window = _kept(first)
    parts = [first.field, window.name if window else None, first.filter]
    kind = ("tiles", "distinct", "seen", "amounts", "places", "labels", "request")
    return " ".join([kind[_kind(first.aggregation)], *(str(p) for p in parts if p)])
