"""The events named for a feature, folded alone, give its value bit for bit."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from domain.features import CATALOGUE, Entity, EntityState, FeatureSet, entity_keys, finish
from domain.features.declarations.units import unit_of
from domain.features.events import place_of
from domain.features.members import members
from domain.features.rows import request_row, rows_of
from domain.transactions import Transaction
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


def assert_made(
    log: list[Placed], asked: Transaction, features: FeatureSet, some: set[int]
) -> None:
    """These features have the same value from the events that are named, and from nothing else."""
    whole = finish(folded(log, asked, features), asked, features)
    request = np.array(request_row(asked, place_of(asked)), dtype=np.int64)
    keys = entity_keys(asked)
    rows = {
        entity: rows_of(each for each in log if entity_keys(each.event).get(entity) == key)
        for entity, key in keys.items()
    }
    for number in some:
        feature = features.features[number]
        states: dict[Entity, EntityState] = {}
        if feature.entity in keys:
            mine = rows[feature.entity]
            state = states[feature.entity] = EntityState(feature.entity, "any", features)
            for row in mine[np.sort(members(feature, mine, request))].tolist():
                state.fold_row(tuple(row))
        made = finish(states, asked, features)[number]
        assert bits([made]) == bits([whole[number]]), feature.name


@examples(60)
@given(logs(), transactions(), st.sets(st.integers(0, len(SMALL) - 1), min_size=20, max_size=20))
def test_named_events_alone_give_the_value(
    log: list[Placed], asked: Transaction, some: set[int]
) -> None:
    assert_made(log, asked, SMALL, some)


@examples(10)
@given(logs(CATALOGUE_REACH, 40), transactions(CATALOGUE_REACH))
def test_so_do_those_of_the_catalogue(log: list[Placed], asked: Transaction) -> None:
    assert_made(log, asked, CATALOGUE, set(range(len(CATALOGUE))))


def test_every_feature_has_a_unit() -> None:
    assert all(unit_of(feature) for feature in (*CATALOGUE.features, *SMALL.features))
