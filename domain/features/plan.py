"""Owns which stores an entity's state needs, derived from the declarations; holds no state.

Features of one entity share a store when their window, filter and (for ids) field and cap agree,
so that each is folded once and read in one pass.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from domain.features.declarations import (
    IDS,
    OF_LABELS,
    Aggregation,
    DeclarationError,
    Feature,
    Field,
    Filter,
    Window,
)
from domain.features.entities import Entity

Numbered = tuple[int, Feature]

SUMMED = frozenset(
    {
        Aggregation.SUM,
        Aggregation.MEAN,
        Aggregation.STD,
        Aggregation.RATIO_TO_MEAN,
        Aggregation.Z_SCORE,
    }
)
SQUARED = frozenset({Aggregation.STD, Aggregation.Z_SCORE})
GREATEST = frozenset({Aggregation.MAX, Aggregation.RATIO_TO_MAX})
PLACED = frozenset({Aggregation.DISTANCE, Aggregation.SPEED})


@dataclass(frozen=True, slots=True)
class TilesPlan:
    """Counts per tile, and of the other channels those that a feature needs."""

    window: Window
    filter: Filter | None
    sums: bool
    squares: bool
    least: bool
    greatest: bool
    last: bool
    features: tuple[Numbered, ...]


@dataclass(frozen=True, slots=True)
class PairsPlan:
    """Pairs of tile and value of `field`, the greatest `cap` of them."""

    window: Window
    filter: Filter | None
    field: Field
    cap: int
    features: tuple[Numbered, ...]


@dataclass(frozen=True, slots=True)
class PlacesPlan:
    """The last place per tile."""

    window: Window
    filter: Filter | None
    features: tuple[Numbered, ...]


@dataclass(frozen=True, slots=True)
class LabelsPlan:
    """The latest `cap` labels within the horizon of `window`, the longest of its features."""

    window: Window
    cap: int
    features: tuple[Numbered, ...]


StorePlan = TilesPlan | PairsPlan | PlacesPlan | LabelsPlan


@dataclass(frozen=True, slots=True)
class EntityPlan:
    """`digest` tells states of another layout apart."""

    entity: Entity
    tiles: tuple[TilesPlan, ...]
    pairs: tuple[PairsPlan, ...]
    places: tuple[PlacesPlan, ...]
    labels: LabelsPlan | None
    digest: bytes


def plan_entity(entity: Entity, features: Iterable[Feature], semantics: int) -> EntityPlan:
    """Raises DeclarationError where features of one kind cannot share their store."""
    groups: dict[tuple[object, ...], list[Numbered]] = {}
    for place, feature in enumerate(features):
        if feature.entity is entity:
            groups.setdefault(_store_key(feature), []).append((place, feature))
    tiles: list[TilesPlan] = []
    pairs: list[PairsPlan] = []
    places: list[PlacesPlan] = []
    labels: LabelsPlan | None = None
    for members in groups.values():
        first = members[0][1]
        if first.aggregation in OF_LABELS:
            labels = _labels(members)
        elif first.field in IDS:
            pairs.append(_pairs(members))
        elif first.aggregation in PLACED:
            places.append(PlacesPlan(_window(first), first.filter, tuple(members)))
        else:
            tiles.append(_tiles(members))
    stores: list[StorePlan | None] = [*tiles, *pairs, *places, labels]
    layout = repr((semantics, [_layout(store) for store in stores]))
    return EntityPlan(
        entity,
        tuple(tiles),
        tuple(pairs),
        tuple(places),
        labels,
        sha256(layout.encode()).digest()[:4],
    )


def _store_key(feature: Feature) -> tuple[object, ...]:
    if feature.aggregation in OF_LABELS:
        return ("labels",)
    if feature.field in IDS:
        return ("pairs", feature.window, feature.filter, feature.field)
    kind = "places" if feature.aggregation in PLACED else "tiles"
    return (kind, feature.window, feature.filter)


def _tiles(members: list[Numbered]) -> TilesPlan:
    first = members[0][1]
    asked = {feature.aggregation for _, feature in members}
    return TilesPlan(
        _window(first),
        first.filter,
        sums=bool(asked & SUMMED),
        squares=bool(asked & SQUARED),
        least=Aggregation.MIN in asked,
        greatest=bool(asked & GREATEST),
        last=Aggregation.SINCE_LAST in asked,
        features=tuple(members),
    )


def _pairs(members: list[Numbered]) -> PairsPlan:
    first = members[0][1]
    assert first.field is not None
    return PairsPlan(_window(first), first.filter, first.field, _one_cap(members), tuple(members))


def _labels(members: list[Numbered]) -> LabelsPlan:
    longest = max((_window(feature) for _, feature in members), key=lambda w: (w.span, w.tile))
    return LabelsPlan(longest, _one_cap(members), tuple(members))


def _one_cap(members: list[Numbered]) -> int:
    caps = {feature.cap for _, feature in members if feature.cap is not None}
    if len(caps) != 1:
        others = ", ".join(repr(feature.name) for _, feature in members[1:])
        message = f"its cap differs from that of {others}, which share its store"
        raise DeclarationError(members[0][1].name, message)
    return caps.pop()


def _window(feature: Feature) -> Window:
    assert feature.window is not None
    return feature.window


def _layout(plan: StorePlan | None) -> object:
    """All of a plan but the features that read it."""
    if plan is None:
        return None
    parts = [getattr(plan, name) for name in plan.__slots__ if name != "features"]
    return type(plan).__name__, [
        (part.span, part.tile, part.horizon) if isinstance(part, Window) else str(part)
        for part in parts
    ]
