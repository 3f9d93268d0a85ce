"""Bytes of columns, versions, states and events come back as they were, or are refused."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import IntegrityError
from domain.events import (
    Envelope,
    Thresholds,
    TransactionImported,
    TransactionLabelled,
    TransactionScored,
    TransactionSubmitted,
)
from domain.features import (
    CATALOGUE,
    Entity,
    EntityState,
    FeatureEvent,
    FeatureSet,
    decode_versions,
    encode_versions,
    entity_keys,
    feature_event,
)
from domain.features.columns import Reader, Writer
from domain.features.coordinates import SCALE, chord_km, unit_vector
from domain.features.events import digest
from domain.transactions import Transaction
from tests.unit.features.streams import Placed, examples, logs

TRANSACTION = Transaction(
    transaction_id="t1",
    timestamp=1_700_000_000_000_000,
    amount=1234,
    currency="USD",
    base_amount=1100,
    card_id="card",
    merchant_id="shop",
    country="DE",
    lat=48.0,
    lon=11.0,
    channel="pos",
)


def envelope(data: object, known_time: int = 5) -> Envelope:
    return Envelope(
        id="event-1",
        source="test",
        subject="t1",
        time=1,
        known_time=known_time,
        data=data,
        correlation_id="c",
    )


def scored() -> TransactionScored:
    return TransactionScored(
        transaction=TRANSACTION,
        digest="d",
        score=0.5,
        outcome="decline",
        reasons=[],
        path="full",
        flags=[],
        feature_set="f",
        features=[],
        versions={},
        model_id="m",
        model_hash="h",
        policy_version=0,
        thresholds=Thresholds(review=0.5, step_up=0.6, decline=0.7),
        fingerprint="f",
    )


@examples(50)
@given(st.lists(st.integers(0, 2**130)))
def test_a_column_comes_back_whatever_its_width(values: list[int]) -> None:
    writer = Writer()
    writer.column(values)
    reader = Reader(writer.to_bytes())
    assert reader.column(len(values)) == values
    reader.finish()


@examples(50)
@given(st.lists(st.integers(-(2**70), 2**70)).map(sorted))
def test_rising_numbers_come_back(values: list[int]) -> None:
    writer = Writer()
    writer.rising(values)
    reader = Reader(writer.to_bytes())
    assert reader.rising(len(values)) == values
    reader.finish()


@examples(50)
@given(st.dictionaries(st.integers(0, 5000), st.integers(0, 2**60)))
def test_versions_come_back_and_are_equal_text_for_equal_maps(versions: dict[int, int]) -> None:
    text = encode_versions(versions)
    assert decode_versions(text) == versions
    assert encode_versions(dict(reversed(versions.items()))) == text


def test_versions_of_twelve_partitions_are_short() -> None:
    assert len(encode_versions({p: 1_000_000 + p for p in range(12)})) < 70


@pytest.mark.parametrize("text", ["AgAF", "AQAFAA", "!", "A"])
def test_damaged_versions_are_refused(text: str) -> None:
    with pytest.raises(IntegrityError):
        decode_versions(text)


@examples(50)
@given(logs(), st.data())
def test_a_damaged_state_is_refused(log: list[Placed], data: st.DataObject) -> None:
    state = EntityState(Entity.MERCHANT, "shop")
    for partition, offset, event in log:
        state.fold(partition, offset, event)
    whole = state.to_bytes()
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(IntegrityError):
        EntityState.from_bytes(Entity.MERCHANT, "shop", whole[:cut])
    with pytest.raises(IntegrityError):
        EntityState.from_bytes(Entity.MERCHANT, "shop", whole + b"\0")


def test_a_state_of_another_layout_is_refused_and_one_of_other_readers_is_not() -> None:
    data = EntityState(Entity.CARD, "c").to_bytes()
    fewer = FeatureSet(f for f in CATALOGUE.features if f.name != "card_declined_1d")
    with pytest.raises(IntegrityError, match="rebuild the online state"):
        EntityState.from_bytes(Entity.CARD, "c", data, fewer)
    same = FeatureSet(f for f in CATALOGUE.features if f.name != "card_speed")
    EntityState.from_bytes(Entity.CARD, "c", data, same)


def test_states_of_different_entities_do_not_merge() -> None:
    with pytest.raises(ValueError, match="no part of"):
        EntityState(Entity.CARD, "a").merge(EntityState(Entity.CARD, "b"))


@examples(50)
@given(logs())
def test_an_event_comes_back_from_its_wire_form(log: list[Placed]) -> None:
    for _, _, event in log:
        assert FeatureEvent.from_wire(json.loads(json.dumps(event.to_wire()))) == event


def test_a_decision_and_an_import_fold_as_the_same_transaction() -> None:
    decided = feature_event(envelope(scored()))
    imported = feature_event(
        envelope(TransactionImported(transaction=TRANSACTION, digest="d", origin="f", line=1))
    )
    assert decided is not None
    assert imported is not None
    assert decided.outcome == "decline"
    assert decided._replace(outcome=None) == imported
    assert (imported.time, imported.known_time) == (TRANSACTION.timestamp, 5)
    assert (imported.base_amount, imported.order) == (1100, digest("event-1"))
    assert imported.place == unit_vector(48.0, 11.0)
    assert entity_keys(imported) == {Entity.CARD: "card", Entity.MERCHANT: "shop"}
    assert entity_keys(TRANSACTION) == entity_keys(imported)


def test_a_label_has_its_known_time() -> None:
    label = TransactionLabelled(
        transaction_id="t1",
        value=1,
        kind="chargeback",
        reporter="bank",
        reference="1",
        transaction_time=3,
        base_amount=1100,
        customer_id="ann",
    )
    event = feature_event(envelope(label, known_time=77))
    assert event is not None
    assert (event.kind, event.time, event.transaction_time, event.label) == ("label", 77, 3, 1)
    assert entity_keys(event) == {Entity.CUSTOMER: "ann"}


def test_a_submission_is_not_folded() -> None:
    submitted = TransactionSubmitted(transaction=TRANSACTION, digest="d", mode="score")
    assert feature_event(envelope(submitted)) is None


@examples(50)
@given(st.floats(-90, 90), st.floats(-180, 180))
def test_unit_vectors_agree_with_the_platforms_sines(lat: float, lon: float) -> None:
    x, y, z = unit_vector(lat, lon)
    phi, lam = math.radians(lat), math.radians(lon)
    for mine, theirs in (
        (x, math.cos(phi) * math.cos(lam)),
        (y, math.cos(phi) * math.sin(lam)),
        (z, math.sin(phi)),
    ):
        assert abs(mine - theirs * SCALE) <= 0.501


def test_places_are_fixed_to_the_integer() -> None:
    assert unit_vector(0.0, 0.0) == (SCALE, 0, 0)
    assert unit_vector(90.0, 17.0)[2] == SCALE
    assert unit_vector(48.137, 11.575) == (10968604, 2246544, 12494708)
    assert chord_km((SCALE, 0, 0), (-SCALE, 0, 0)) == 2 * 6371.0088
