"""A wrong declaration is refused with a text that says where it is and what to do."""

from typing import Any

import pytest

from domain.errors import IntegrityError
from domain.features import (
    CATALOGUE,
    DeclarationError,
    Entity,
    EntityState,
    Feature,
    FeatureEvent,
    FeatureSet,
    finish,
)
from domain.features.declarations.feature import Aggregation, Field, Filter
from domain.features.declarations.windows import DAY_1, DAYS_7, DAYS_30, HOUR_1, Window
from domain.times import DAY, HOUR, MINUTE
from domain.transactions import Transaction
from tests.builders.feature_streams import SMALL


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
HIGH = {
    "aggregation": Aggregation.HIGH_COUNT,
    "cap": 5,
    "quantile": 900,
    "baseline": DAYS_30,
    "times": 1,
}
VALUES = {"aggregation": Aggregation.DISTINCT, "field": Field.MERCHANT}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "Card Sum"}, "lower case"),
        ({"name": ""}, "lower case"),
        ({"aggregation": "median"}, "unknown aggregation 'median'"),
        ({"entity": "till"}, "unknown entity 'till'; known: card, payer, customer"),
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
        ({"cap": 5}, "has no cap: take it away"),
        ({**HIGH, "quantile": None}, "give a quantile"),
        ({**HIGH, "quantile": 1001}, "from 1 to 1000"),
        ({**HIGH, "baseline": None}, "give a baseline"),
        ({**HIGH, "baseline": Window("w", 30 * DAY, MINUTE)}, "43200 tiles, more than 64"),
        ({"baseline": DAYS_7}, "has no baseline"),
        ({**HIGH, "times": None}, "give a times"),
        ({**HIGH, "times": 65}, "from 1 to 64"),
        ({"times": 2}, "has no times"),
        ({**LABELS, "cap": 5, "last": 3}, "has no last"),
        ({**LABELS, "aggregation": Aggregation.NTH_LAST_LABEL, "cap": 5}, "give a last"),
        ({**LABELS, "cap": 5, "filter": Filter.DECLINED}, "take the filter away"),
        ({"entity": None}, "has no entity"),
        ({"aggregation": Aggregation.REQUEST}, "has no entity"),
        ({"aggregation": Aggregation.REQUEST, "entity": None}, "has no window"),
    ],
)
def test_a_wrong_declaration_is_named_with_a_reason(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(DeclarationError, match=message) as caught:
        FeatureSet([declared(**changes)])
    assert repr(changes.get("name", "card_sum")) in str(caught.value)


def test_a_name_declared_twice_is_refused_with_both_places() -> None:
    with pytest.raises(DeclarationError, match="'card_sum': declared twice, at places 1 and 3"):
        FeatureSet([declared(), declared(name="other"), declared()])


def test_a_value_depends_on_its_own_declaration_alone() -> None:
    """What is declared beside a feature, with other caps and longer windows, changes no value."""
    kind = {**LABELS, "entity": Entity.PAYER}
    alone = declared(name="a", cap=3, window=DAYS_7, **kind)
    beside = declared(name="b", cap=400, window=DAYS_30, **kind)
    values = []
    for features in (FeatureSet([alone]), FeatureSet([alone, beside])):
        state = EntityState(Entity.PAYER, "ann", features)
        for day in range(12):
            label = FeatureEvent(
                *("label", day * DAY, day, day * DAY, f"t{day}", 0, 1), customer_id="ann", label=1
            )
            state.fold(0, day, label)
        ask = Transaction(
            transaction_id="x", timestamp=12 * DAY, amount=1, currency="EUR", base_amount=1
        )
        values.append(finish({Entity.PAYER: state}, ask, features)[0])
    assert values == [3.0, 3.0]
    assert alone.definition == FeatureSet([alone, beside]).features[0].definition


def test_a_definition_is_that_of_the_value_and_not_of_the_words() -> None:
    assert declared().definition == declared(meaning="reworded").definition
    assert declared().definition != declared(window=HOUR_1).definition


def test_a_set_comes_back_from_its_text() -> None:
    for features in (CATALOGUE, SMALL):
        again = FeatureSet.from_json(features.to_json())
        assert again.hash == features.hash
        assert again.features == features.features


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"semantics":3}', '{"semantics":2,"features":[]}']
)
def test_a_text_that_is_no_set_of_ours_is_refused(text: str) -> None:
    with pytest.raises(IntegrityError):
        FeatureSet.from_json(text)


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
        {**LABELS, "cap": 5},
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
    plain = (Entity.PAYER, Entity.MERCHANT)
    assert len(CATALOGUE) >= 60
    assert sum(len(CATALOGUE.by_entity[entity]) for entity in plain) >= 30
    old = {Entity.CUSTOMER, Entity.CUSTOMER_MERCHANT, Entity.CUSTOMER_DEVICE}
    assert CATALOGUE.entities == tuple(entity for entity in Entity if entity not in old)
    assert len(CATALOGUE.hash) == 16


def test_every_window_of_tiles_spans_sixty_of_them_at_most() -> None:
    for feature in CATALOGUE.features:
        if feature.window is not None and feature.field is not Field.LABEL:
            assert feature.window.span <= 60 * feature.window.tile
