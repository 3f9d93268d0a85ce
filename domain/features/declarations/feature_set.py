"""A validated, ordered set of features with its hash and its text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields
from hashlib import sha256
from typing import Any

from domain.errors import IntegrityError
from domain.features.declarations.feature import (
    SEMANTICS,
    Aggregation,
    DeclarationError,
    Feature,
    Field,
    Filter,
)
from domain.features.declarations.plan import JoinedPlan, Plan, joined, plan_for
from domain.features.declarations.windows import Window
from domain.features.entities import Entity


class FeatureSet:
    """Immutable. The order of the features is the order of every vector.

    Raises DeclarationError for a wrong feature or a name used twice.
    """

    __slots__ = (
        "by_entity",
        "defaults",
        "entities",
        "features",
        "hash",
        "joined",
        "names",
        "plans",
        "request",
    )

    def __init__(self, features: Iterable[Feature]) -> None:
        self.features = tuple(features)
        seen: dict[str, int] = {}
        for place, feature in enumerate(self.features):
            feature.check()
            if feature.name in seen:
                places = f"places {seen[feature.name] + 1} and {place + 1}"
                raise DeclarationError(feature.name, f"declared twice, at {places}")
            seen[feature.name] = place
        self.names = tuple(feature.name for feature in self.features)
        self.defaults = tuple(feature.default for feature in self.features)
        text = "\n".join([str(SEMANTICS), *(feature.canonical() for feature in self.features)])
        self.hash = sha256(text.encode()).hexdigest()[:16]
        self.by_entity: dict[Entity, tuple[Feature, ...]] = {
            entity: mine
            for entity in Entity
            if (mine := tuple(f for f in self.features if f.entity is entity))
        }
        self.entities = tuple(self.by_entity)
        self.plans: dict[Entity, Plan] = {e: plan_for(e, self.features) for e in Entity}
        self.request: Plan = plan_for(None, self.features)
        # In this order: the request's, then those of `Entity`.
        self.joined: JoinedPlan = joined([self.request, *self.plans.values()])

    def __len__(self) -> int:
        return len(self.features)

    def to_json(self) -> str:
        """The declarations as data: a running process takes up a set that it was not built with."""
        declared = [_to_wire(feature) for feature in self.features]
        return json.dumps({"semantics": SEMANTICS, "features": declared}, separators=(",", ":"))

    @staticmethod
    def from_json(text: str) -> FeatureSet:
        """Raises IntegrityError for text that this version does not know how to compute."""
        try:
            wire = json.loads(text)
            semantics, declared = wire["semantics"], wire["features"]
        except (ValueError, LookupError, TypeError) as error:
            raise IntegrityError(f"not the text of a feature set: {error}") from error
        if semantics != SEMANTICS:
            raise IntegrityError(
                f"a feature set of semantics {semantics}, and this version computes {SEMANTICS}: "
                "rebuild the online state with `retrace features rebuild`"
            )
        try:
            return FeatureSet(_from_wire(each) for each in declared)
        except (ValueError, LookupError, TypeError) as error:
            raise IntegrityError(f"a feature set that cannot be read: {error}") from error


def _to_wire(feature: Feature) -> dict[str, Any]:
    wire: dict[str, Any] = {}
    for each in fields(feature):
        value = getattr(feature, each.name)
        if isinstance(value, Window):
            value = [value.name, value.span, value.tile]
        if value is not None:
            wire[each.name] = value
    return wire


def _from_wire(wire: Mapping[str, Any]) -> Feature:
    kinds = {
        "aggregation": Aggregation,
        "entity": Entity,
        "field": Field,
        "filter": Filter,
        "window": _window,
        "baseline": _window,
    }
    return Feature(**{name: kinds.get(name, _same)(value) for name, value in wire.items()})  # type: ignore[operator]


def _window(wire: list[Any]) -> Window:
    return Window(*wire)


def _same(value: Any) -> Any:
    return value
