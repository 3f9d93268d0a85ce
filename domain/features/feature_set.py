"""Owns a validated, ordered set of features and its hash; knows neither state nor finishing."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from domain.features.declarations import DeclarationError, Feature, Field
from domain.features.entities import Entity
from domain.features.plan import EntityPlan, plan_entity

# Part of every hash: raised whenever the meaning of a declaration changes.
SEMANTICS = 1


class FeatureSet:
    """Immutable. The order of the features is the order of every vector.

    Raises DeclarationError for a wrong feature, a name used twice, or stores that cannot be shared.
    """

    __slots__ = (
        "by_entity",
        "defaults",
        "entities",
        "features",
        "hash",
        "names",
        "of_request",
        "plans",
        "with_default",
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
        self.with_default = tuple(
            (place, default) for place, default in enumerate(self.defaults) if default is not None
        )
        self.of_request: tuple[tuple[int, Field], ...] = tuple(
            (place, feature.field)
            for place, feature in enumerate(self.features)
            if feature.entity is None and feature.field is not None
        )
        text = "\n".join([str(SEMANTICS), *(feature.canonical() for feature in self.features)])
        self.hash = sha256(text.encode()).hexdigest()[:16]
        self.entities = tuple(
            entity for entity in Entity if any(f.entity is entity for f in self.features)
        )
        self.by_entity: dict[Entity, tuple[Feature, ...]] = {
            entity: tuple(f for f in self.features if f.entity is entity)
            for entity in self.entities
        }
        self.plans: dict[Entity, EntityPlan] = {
            entity: plan_entity(entity, self.features, SEMANTICS) for entity in Entity
        }

    def __len__(self) -> int:
        return len(self.features)
