"""A wrong declaration is refused when it is read, by a text that says where and what to do."""

from __future__ import annotations

from typing import Any

import pytest

from domain.features import CATALOGUE, DeclarationError, Entity, Feature, FeatureSet
from domain.features.declarations import (
    DAY_1,
    DAYS_7,
    DAYS_30,
    HOUR_1,
    Aggregation,
    Field,
    Filter,
    Window,
)
from domain.times import DAY, HOUR, MINUTE


def declared(**changes: Any) -> Feature:
    parts: dict[str, Any] = {
        "name": "card_sum",
        "meaning": "m",
        "aggregation": Aggregation.SUM,
        "entity": Entity.CARD,
        "field": Field.AMOUNT,
        "window": DAY_1,
        **changes,
    }
    return Feature(**parts)


LABELS = {"aggregation": Aggregation.FRAUD_COUNT, "field": Field.LABEL}
VALUES = {"aggregation": Aggregation.DISTINCT, "field": Field.MERCHANT}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "Card Sum"}, "lower case"),
        ({"name": ""}, "lower case"),
        ({"aggregation": "median"}, "unknown aggregation 'median'"),
        ({"entity": "till"}, "unknown entity 'till'; known: card, customer"),
        ({"filter": "odd"}, "unknown filter 'odd'"),
        ({"field": "tip"}, "unknown field 'tip' for 'sum'; known: amount"),
        ({"field": None}, "unknown field None"),
        ({"aggregation": Aggregation.COUNT}, "known: none"),
        ({"window": None}, "unbounded: give a window"),
        ({"window": Window("w", 30 * DAY, MINUTE)}, "43200 tiles, more than 64"),
        ({"window": Window("w", HOUR, 0)}, "positive"),
        ({"window": Window("w", HOUR, DAY)}, "within the span"),
        (VALUES, "unbounded: give a cap"),
        (LABELS, "unbounded: give a cap"),
        ({**VALUES, "cap": 0}, "from 1 to 4096"),
        ({**VALUES, "cap": 1_000_000}, "from 1 to 4096"),
        ({"cap": 5}, "nothing to cap"),
        ({**LABELS, "cap": 5, "filter": Filter.DECLINED}, "take the filter away"),
        ({"entity": None}, "has no entity"),
        ({"aggregation": Aggregation.REQUEST}, "has no entity"),
        ({"aggregation": Aggregation.REQUEST, "entity": None}, "has no window"),
    ],
)
def test_a_wrong_declaration_is_named_with_its_reason(
    changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(DeclarationError, match=message) as caught:
        FeatureSet([declared(**changes)])
    assert repr(changes.get("name", "card_sum")) in str(caught.value)


def test_a_name_declared_twice_is_refused_with_both_places() -> None:
    with pytest.raises(DeclarationError, match="'card_sum': declared twice, at places 1 and 3"):
        FeatureSet([declared(), declared(name="other"), declared()])


def test_features_that_share_a_store_must_agree_on_its_cap() -> None:
    with pytest.raises(DeclarationError, match="cap differs from that of 'b'"):
        FeatureSet(
            [
                declared(name="a", cap=3, window=DAYS_7, **LABELS),
                declared(name="b", cap=4, window=DAYS_30, **LABELS),
            ]
        )


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "renamed"},
        {"entity": Entity.IP},
        {"aggregation": Aggregation.MEAN},
        {"window": HOUR_1},
        {"window": Window("1d", DAY, HOUR)},
        {"filter": Filter.DECLINED},
        {"default": 0.0},
    ],
)
def test_the_hash_changes_with_whatever_changes_a_value(changes: dict[str, Any]) -> None:
    assert FeatureSet([declared()]).hash != FeatureSet([declared(**changes)]).hash


def test_the_hash_is_that_of_the_values_and_not_of_the_words() -> None:
    assert FeatureSet([declared()]).hash == FeatureSet([declared(meaning="reworded")]).hash


def test_the_order_of_the_features_is_part_of_the_hash() -> None:
    one, two = declared(), declared(name="two")
    assert FeatureSet([one, two]).hash != FeatureSet([two, one]).hash


def test_the_catalogue_is_large_enough_and_stands_on_two_ids_amount_and_time() -> None:
    plain = (Entity.CUSTOMER, Entity.MERCHANT)
    assert len(CATALOGUE) >= 60
    assert sum(len(CATALOGUE.by_entity[entity]) for entity in plain) >= 30
    assert CATALOGUE.entities == tuple(Entity)
    assert len(CATALOGUE.hash) == 16


def test_every_window_spans_sixty_tiles_at_most() -> None:
    for feature in CATALOGUE.features:
        if feature.window is not None:
            assert feature.window.span <= 60 * feature.window.tile
