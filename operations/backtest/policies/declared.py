"""Features that a candidate declares beside the catalogue: under which columns they are laid down.

A column is named by the definition, not by the candidate's name for it: two candidates may mean
different things by one name, and what they define alike is laid down once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from domain.features import Feature, FeatureSet

# No feature of the catalogue begins so.
_COLUMN = "declared_"


def declared_features(text: str) -> tuple[Feature, ...]:
    """Of what a policy says, by the candidate's own names. Raises IntegrityError."""
    return FeatureSet.from_json(text).features if text else ()


def column_of(feature: Feature) -> Feature:
    """The same feature under the name of its column."""
    return replace(feature, name=_COLUMN + replace(feature, name="").definition)


def columns_of(features: Sequence[Feature]) -> dict[str, str]:
    """By the candidate's name of each feature that of its column."""
    return {feature.name: column_of(feature).name for feature in features}


def is_declared(column: str) -> bool:
    """Whether a candidate brought it, and the catalogue does not have it."""
    return column.startswith(_COLUMN)


def told(features: Sequence[Feature]) -> list[dict[str, Any]]:
    """Their declarations as plain values."""
    found: list[dict[str, Any]] = json.loads(FeatureSet(features).to_json())["features"]
    return found


def shown(columns: Sequence[str], *declared: Mapping[str, str]) -> list[str]:
    """The names that people gave, each once; `declared` are `columns_of` each policy."""
    names = {column: name for mine in declared for name, column in mine.items()}
    return list(dict.fromkeys(names.get(column, column) for column in columns))
