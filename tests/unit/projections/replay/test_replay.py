"""The replay of a log gives the vectors that fold and finish gave at each of its transactions."""

import numpy as np
from hypothesis import given

from domain.features import CATALOGUE, Entity, EntityState, FeatureSet, entity_keys, finish
from domain.features.engine import finish_and_fold, fold_states, states, vectors
from domain.features.events import FeatureEvent
from domain.features.reference.naive import reference_vector
from domain.features.rows import rows_of
from domain.transactions import Transaction
from tests.builders.feature_streams import (
    CATALOGUE_REACH,
    SMALL,
    Placed,
    bits,
    examples,
    logs,
    numbered,
)
from tests.fakes.events import transaction


def as_transaction(event: FeatureEvent) -> Transaction:
    """One that gives this event; its place is set by the caller of `finish`."""
    copied = ("base_amount", "country", "channel")
    keys = ("card_id", "customer_id", "merchant_id", "device_id", "ip")
    given = {name: getattr(event, name) for name in (*copied, *keys)}
    return transaction(event.transaction_id, timestamp=event.time, **given)


def placeless(log: list[Placed]) -> list[Placed]:
    return [each._replace(event=each.event._replace(x=None, y=None, z=None)) for each in log]


def assert_replayed(log: list[Placed], features: FeatureSet) -> None:
    codes, keys = numbered(log)
    rows = rows_of(log)
    due = np.full(len(log), -1, dtype=np.int64)
    decided = [at for at, each in enumerate(log) if each.event.kind == "transaction"]
    due[decided] = np.arange(len(decided))
    made = vectors(features, codes, rows, due)
    held: dict[tuple[Entity, str], EntityState] = {}
    for at, (partition, offset, event) in enumerate(log):
        mine = {
            entity: held.setdefault((entity, key), EntityState(entity, key, features))
            for entity, key in entity_keys(event).items()
        }
        if event.kind == "transaction":
            asked = as_transaction(event)
            served = finish(mine, asked, features)
            before = [each.event for each in log[:at]]
            ideal = reference_vector(before, asked, features)
            replayed = made[due[at]].tolist()
            assert bits(replayed) == bits(served) == bits(ideal)
        for state in mine.values():
            state.fold(partition, offset, event)
    for entity in Entity:
        rebuilt = states(features, entity, codes[entity], rows)
        folded = [held[(entity, key)].to_bytes() for key in keys[entity]]
        assert rebuilt == folded


@examples(60)
@given(logs())
def test_a_replay_gives_the_bits_of_the_stream_and_of_the_reference(log: list[Placed]) -> None:
    assert_replayed(placeless(log), SMALL)


@examples(40)
@given(logs(CATALOGUE_REACH, 40))
def test_a_replay_of_the_catalogue_gives_the_bits_of_the_stream(log: list[Placed]) -> None:
    assert_replayed(placeless(log), CATALOGUE)


@examples(40)
@given(logs())
def test_folding_in_two_batches_equals_folding_in_one(log: list[Placed]) -> None:
    rows, (codes, keys) = rows_of(log), numbered(log)
    half = len(log) // 2
    for entity in (Entity.PAYER, Entity.PAYER_MERCHANT):
        owners, none = codes[entity], [None] * len(keys[entity])
        mine = owners >= 0
        first, second = mine.copy(), mine.copy()
        first[half:], second[:half] = False, False
        once = fold_states(SMALL, entity, none, owners[mine], rows[mine])
        twice = fold_states(SMALL, entity, none, owners[first], rows[first])
        # What was folded before is handed in again: it changes nothing.
        twice = fold_states(SMALL, entity, twice, owners[mine], rows[mine])
        assert once == twice
        due = np.full(int(mine.sum()), -1, dtype=np.int64)
        out = np.zeros((0, len(SMALL)))
        beside = finish_and_fold(SMALL, entity, none, owners[mine], rows[mine], due, out)
        assert beside == once


@examples(40)
@given(logs())
def test_a_replay_folds_every_row_once_though_offsets_fall(log: list[Placed]) -> None:
    """As by known time, where a later import holds an earlier stretch of history."""
    codes, _ = numbered(log)
    due = np.full(len(log), -1, dtype=np.int64)
    decided = [at for at, each in enumerate(log) if each.event.kind == "transaction"]
    due[decided] = np.arange(len(decided))
    end = len(log)
    falling = [
        each._replace(
            partition=0, offset=end - at if each.event.kind == "transaction" else end + at
        )
        for at, each in enumerate(log)
    ]
    made, again = (vectors(SMALL, codes, rows_of(each), due) for each in (log, falling))
    assert made.tobytes() == again.tobytes()
