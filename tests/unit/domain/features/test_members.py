"""The events named for a feature, folded alone, give its value bit for bit."""

from functools import lru_cache

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from domain.features import CATALOGUE, Entity, EntityState, FeatureSet, entity_keys, finish
from domain.features.declarations.feature import OF_LABELS, OF_LAST, Aggregation, Feature, Field
from domain.features.declarations.units import unit_of
from domain.features.declarations.windows import Window
from domain.features.events import place_of
from domain.features.members import members
from domain.features.rows import request_row, rows_of
from domain.times import HOUR, MINUTE
from domain.transactions import Transaction
from tests.builders.feature_events import NOON, labelled
from tests.builders.feature_streams import (
    CATALOGUE_REACH,
    SMALL,
    Placed,
    bits,
    examples,
    folded,
    logs,
    transactions,
)
from tests.fakes.events import transaction


def assert_made(log: list[Placed], asked: Transaction, features: FeatureSet) -> None:
    """Each has the same value from the events that are named, and from nothing else."""
    whole = finish(folded(log, asked, features), asked, features)
    request = np.array(request_row(asked, place_of(asked)), dtype=np.int64)
    keys = entity_keys(asked)
    rows = {
        entity: rows_of(each for each in log if entity_keys(each.event).get(entity) == key)
        for entity, key in keys.items()
    }
    for number, feature in enumerate(features.features):
        states: dict[Entity, EntityState] = {}
        if feature.entity in keys:
            mine = rows[feature.entity]
            state = states[feature.entity] = EntityState(feature.entity, "any", features)
            for row in mine[np.sort(members(feature, mine, request))].tolist():
                state.fold_row(tuple(row))
        made = finish(states, asked, features)[number]
        assert bits([made]) == bits([whole[number]]), feature.name


BY_AGGREGATION = [
    [feature for feature in SMALL.features if feature.aggregation is each] for each in Aggregation
]


@lru_cache
def one_of_each(number: int) -> FeatureSet:
    """One feature of each aggregation: a value depends on its own declaration alone."""
    return FeatureSet(some[number * 7 % len(some)] for some in BY_AGGREGATION)


@examples(40)
@given(logs(), transactions(), st.integers(0, 11).map(one_of_each))
def test_named_events_alone_give_the_value(
    log: list[Placed], asked: Transaction, features: FeatureSet
) -> None:
    assert_made(log, asked, features)


ALL_DAY = Window("20h", 20 * HOUR, 5 * MINUTE)
OF_MANY_LABELS = FeatureSet(
    Feature(
        name=each.name.lower(),
        meaning="of the labels of a day",
        aggregation=each,
        entity=Entity.PAYER,
        field=Field.LABEL,
        window=ALL_DAY,
        cap=12,
        last=2 if each in OF_LAST else None,
    )
    for each in Aggregation
    if each in OF_LABELS
)


LABELS = [
    Placed(0, number, labelled(f"t-{number}", NOON + number * HOUR, value, f"r-{number}"))
    for number, value in enumerate((1, 0, 1, 1))
]


@examples(25)
@given(logs(), transactions())
@example(LABELS, transaction("x", timestamp=NOON + 10 * HOUR, customer_id="ann"))
def test_so_do_labels_where_there_are_many(log: list[Placed], asked: Transaction) -> None:
    """In small windows two of them seldom meet."""
    assert_made(log, asked, OF_MANY_LABELS)


@examples(8)
@given(logs(CATALOGUE_REACH, 40), transactions(CATALOGUE_REACH))
def test_so_do_those_of_the_catalogue(log: list[Placed], asked: Transaction) -> None:
    assert_made(log, asked, CATALOGUE)


def test_every_feature_has_a_unit() -> None:
    assert all(unit_of(feature) for feature in (*CATALOGUE.features, *SMALL.features))
