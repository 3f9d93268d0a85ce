"""Finish for the on-demand view, with the feature set that each stored state was folded for.

The online store announces the sets of the generations that it reads: the live one and, until a swap
is noticed, the one before. The digest at the head of a state says which set it is of.
"""

from collections.abc import Mapping

from domain.errors import IntegrityError
from domain.features import CATALOGUE, Entity, EntityState, FeatureSet, finish
from domain.transactions import Transaction

_KEPT = 4
_met: list[FeatureSet] = [CATALOGUE]


def announce(features: FeatureSet) -> None:
    """Puts a set before those met earlier. Thread-safe: the list is replaced whole."""
    global _met
    if _met[0].hash != features.hash:
        _met = [features, *(each for each in _met if each.hash != features.hash)][:_KEPT]


def finished(
    stored: Mapping[Entity, tuple[str, bytes]], transaction: Transaction
) -> dict[str, float | None]:
    """Values by name. `stored` has key and state, b"" for none, of each entity that is named.

    Each state is finished with the features that it was folded for. Raises IntegrityError where
    this process does not know them.
    """
    newest, *others = _met
    states: dict[str, dict[Entity, EntityState]] = {newest.hash: {}}
    for entity, (key, data) in stored.items():
        features = _fitting(entity, data, newest, others)
        state = (
            EntityState.from_bytes(entity, key, data, features)
            if data
            else EntityState(entity, key, features)
        )
        states.setdefault(features.hash, {})[entity] = state
    values: dict[str, float | None] = {}
    for features in (newest, *others):
        group = states.get(features.hash)
        if group is not None:
            vector = finish(group, transaction, features)
            for feature, value in zip(features.features, vector, strict=True):
                if features is newest or feature.entity in group:
                    values[feature.name] = value
    return values


def _fitting(
    entity: Entity, data: bytes, newest: FeatureSet, others: list[FeatureSet]
) -> FeatureSet:
    digest = int.from_bytes(data[:4], "little")
    for features in (newest, *others):
        if not data or features.plans[entity].digest == digest:
            return features
    raise IntegrityError(
        f"the state of this {entity} is of features that this process does not know yet: ask again"
    )
