"""A model takes its features by name from any set that still defines them the same way."""

from dataclasses import replace

import pytest

from domain.errors import SettingsError
from domain.features import CATALOGUE, FeatureSet, Inputs

ASKED = CATALOGUE.features[3:9]
INPUTS = Inputs("m", "x", [f.name for f in ASKED], [f.definition for f in ASKED])


def test_inputs_are_picked_by_name_whatever_stands_beside_them() -> None:
    numbers = [float(at) for at in range(len(CATALOGUE))]
    assert INPUTS.of(CATALOGUE, numbers) == numbers[3:9]
    turned = FeatureSet(CATALOGUE.features[::-1])
    assert INPUTS.of(turned, numbers) == [len(CATALOGUE) - 1 - at for at in range(3, 9)]
    assert INPUTS.of(CATALOGUE, numbers) == numbers[3:9]


def test_a_missing_feature_is_named() -> None:
    fewer = FeatureSet(f for f in CATALOGUE.features if f.name != ASKED[2].name)
    with pytest.raises(SettingsError, match=f"asks for '{ASKED[2].name}'.*retrace train"):
        INPUTS.check(fewer)


def test_a_feature_whose_definition_has_changed_is_named() -> None:
    changed = replace(ASKED[4], default=7.0)
    other = FeatureSet(changed if f is ASKED[4] else f for f in CATALOGUE.features)
    with pytest.raises(SettingsError, match=f"another definition of '{changed.name}'"):
        INPUTS.of(other, [0.0] * len(other))
    reworded = replace(ASKED[4], meaning="said otherwise")
    INPUTS.check(FeatureSet(reworded if f is ASKED[4] else f for f in CATALOGUE.features))
