"""Bytes of columns, versions, states and events are read as they were written, or refused."""

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import IntegrityError
from domain.features import (
    CATALOGUE,
    Entity,
    EntityState,
    FeatureEvent,
    FeatureSet,
    Held,
    decode_held,
    encode_held,
    entity_keys,
    feature_event,
)
from domain.features.coordinates import SCALE, chord_km, unit_vector
from domain.features.entities import FIELDS, key_parts, keys_of, pair_key
from domain.features.events import digest
from domain.features.kernel.encoding import (
    get_column,
    get_rising,
    get_signed,
    get_varint,
    put_column,
    put_rising,
    put_signed,
    put_varint,
)
from domain.features.kernel.wide import as_float, difference, spread
from domain.features.rows import row_of
from domain.features.state import heads_of, version_of
from tests.builders.feature_streams import Placed, examples, logs
from tests.fakes.events import imported, labelled, scored, submitted, transaction

TRANSACTION = transaction(
    "t1", base_amount=1100, card_id="card", merchant_id="shop", country="DE", lat=48.0, lon=11.0,
    channel="pos",
)  # fmt: skip


INT64 = st.one_of(st.integers(-(2**63), 2**63 - 1), st.integers(-300, 300))


@examples(100)
@given(INT64)
def test_single_integers_come_back(value: int) -> None:
    data = np.zeros(16, dtype=np.uint8)
    end = put_varint(data, 0, value)
    assert get_varint(data, 0, end) == (value, end)
    assert get_varint(data, 0, end - 1)[1] == -1
    end = put_signed(data, 0, value)
    assert get_signed(data, 0, end) == (value, end)


@examples(100)
@given(st.lists(INT64), st.integers(-1000, 1000))
def test_a_column_comes_back_whatever_its_width(values: list[int], less: int) -> None:
    values = [value for value in values if -(2**62) < value < 2**62] if less else values
    mem, again = np.array(values, dtype=np.int64), np.zeros(len(values), dtype=np.int64)
    data = np.zeros(9 * len(values) + 1, dtype=np.uint8)
    end = put_column(data, 0, mem, 0, len(values), less)
    assert get_column(data, 0, end, again, 0, len(values), less) == end
    assert again.tolist() == values
    if values:
        assert get_column(data, 0, end - 1, again, 0, len(values), less) == -1


@examples(100)
@given(st.lists(st.integers(-(2**61), 2**61)).map(sorted))
def test_rising_numbers_come_back(values: list[int]) -> None:
    mem, again = np.array(values, dtype=np.int64), np.zeros(len(values), dtype=np.int64)
    data = np.zeros(9 * len(values) + 20, dtype=np.uint8)
    end = put_rising(data, 0, mem, 0, len(values))
    assert get_rising(data, 0, end, again, 0, len(values)) == end
    assert again.tolist() == values


WIDE = st.one_of(
    st.integers(0, 2**128 - 1),
    # Halfway between two floats, and one beside it.
    st.builds(
        lambda top, shift, step: max(((top * 2 + 1) << shift) + step, 0) % 2**128,
        st.integers(2**52, 2**53 - 1),
        st.integers(0, 74),
        st.sampled_from([-1, 0, 1]),
    ),
)


@examples(300)
@given(WIDE)
def test_wide_integers_are_rounded_as_python_rounds(value: int) -> None:
    assert as_float(np.uint64(value >> 64), np.uint64(value % 2**64)) == float(value)


@examples(200)
@given(st.lists(st.integers(0, 2**56 - 1), min_size=1, max_size=100), st.integers(0, 2**56 - 1))
def test_spreads_and_differences_are_exact(amounts: list[int], amount: int) -> None:
    number, total, squares = len(amounts), sum(amounts), sum(a * a for a in amounts)
    high, low = spread(number, total, np.uint64(squares >> 64), np.uint64(squares % 2**64))
    assert (int(high) << 64) + int(low) == number * squares - total * total
    assert difference(number, amount, total) == float(number * amount - total)


@examples(100)
@given(st.text(), st.text())
def test_the_parts_of_a_pair_come_back(first: str, second: str) -> None:
    key = pair_key(first, second)
    assert key_parts(Entity.PAYER_MERCHANT, key) == (first, second)


@pytest.mark.parametrize("lacking", [None, "card_id", "customer_id", "merchant_id", "device_id"])
def test_keys_are_those_of_the_fields_in_the_order_of_the_entities(lacking: str | None) -> None:
    names = ("card_id", "customer_id", "merchant_id", "device_id", "ip")
    given: dict[str, Any] = {name: None if name == lacking else f"a {name}" for name in names}
    event = FeatureEvent("transaction", 1, 2, 3, "t", 1, 5)._replace(**given)
    expected: list[str | None] = []
    for fields in FIELDS.values():
        parts = [getattr(event, field) for field in fields]
        whole = parts[0] if len(parts) == 1 else pair_key(*map(str, parts))
        expected.append(None if None in parts else whole)
    assert list(FIELDS) == list(Entity)
    assert keys_of(event) == tuple(expected)
    named = zip(Entity, expected, strict=True)
    assert entity_keys(event) == {entity: key for entity, key in named if key is not None}


def test_a_row_that_no_state_can_hold_is_refused() -> None:
    event = FeatureEvent("transaction", 1, 2, 3, "t", 1, 5)
    with pytest.raises(ValueError, match="base_amount"):
        row_of(0, 0, event._replace(base_amount=-1))
    with pytest.raises(ValueError, match="base_amount"):
        row_of(0, 0, event._replace(base_amount=2**56))
    with pytest.raises(ValueError, match="partition"):
        row_of(64, 0, event)


@examples(50)
@given(st.dictionaries(st.integers(0, 5000), st.integers(0, 2**60)))
def test_versions_come_back_and_are_equal_text_for_equal_maps(versions: dict[int, int]) -> None:
    text = encode_held(versions)
    assert decode_held(text) == Held(versions)
    assert encode_held(dict(reversed(versions.items()))) == text


PLACES = st.sets(st.tuples(st.integers(0, 63), st.integers(0, 2**50)), max_size=8)


@examples(50)
@given(st.dictionaries(st.integers(0, 63), st.integers(0, 2**50)), PLACES)
def test_what_was_held_beside_comes_back_in_order(
    upto: dict[int, int], beside: set[tuple[int, int]]
) -> None:
    held = decode_held(encode_held(upto, list(beside)))
    assert held == Held(upto, tuple(sorted(beside)))
    assert all(held.holds(*place) for place in beside)
    assert all(held.holds(source, offset) for source, offset in upto.items())
    assert not held.holds(63, 2**51)


def test_versions_of_twelve_partitions_are_short() -> None:
    assert len(encode_held({p: 1_000_000 + p for p in range(12)})) < 70


@pytest.mark.parametrize("text", ["AgAF", "AQAFAA", "!", "A"])
def test_damaged_versions_are_refused(text: str) -> None:
    with pytest.raises(IntegrityError):
        decode_held(text)


@examples(100)
@given(logs())
def test_the_heads_of_states_are_read_without_the_rest_of_them(log: list[Placed]) -> None:
    states = [EntityState(Entity.MERCHANT, f"shop {number}") for number in range(3)]
    for number, (partition, offset, event) in enumerate(log):
        states[number % 2].fold(partition, offset, event)
    written = [state.to_bytes() for state in states]
    assert heads_of(written) == [
        (version_of(data), max(seen.latest, seen.latest_label, 0))
        for data, seen in zip(written, (state.inspect() for state in states), strict=True)
    ]
    with pytest.raises(IntegrityError):
        heads_of([written[0], written[0][:4], written[0]])
    assert heads_of([]) == []


@examples(50)
@given(logs(), st.data())
def test_a_damaged_state_is_refused(log: list[Placed], data: st.DataObject) -> None:
    state = EntityState(Entity.MERCHANT, "shop")
    for partition, offset, event in log:
        state.fold(partition, offset, event)
    whole = state.to_bytes()
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(IntegrityError):
        EntityState.from_bytes(Entity.MERCHANT, "shop", whole[:cut]).inspect()
    with pytest.raises(IntegrityError):
        EntityState.from_bytes(Entity.MERCHANT, "shop", whole + b"\0").inspect()


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
    decided, past = (
        feature_event(replace(each, data=replace(each.data, transaction=TRANSACTION)))
        for each in (
            scored("t1", outcome="decline", id="event-1", known_time=5),
            imported("t1", id="event-1", known_time=5),
        )
    )
    assert decided is not None
    assert past is not None
    assert decided.outcome == "decline"
    assert decided._replace(outcome=None) == past
    assert (past.time, past.known_time) == (TRANSACTION.timestamp, 5)
    assert (past.base_amount, past.order) == (1100, digest("event-1"))
    assert past.place == unit_vector(48.0, 11.0)
    assert list(entity_keys(past)) == [
        Entity.CARD, Entity.PAYER, Entity.MERCHANT, Entity.PAYER_MERCHANT
    ]  # fmt: skip
    assert entity_keys(TRANSACTION) == entity_keys(past)


def test_a_label_has_its_known_time() -> None:
    label = labelled("t1", known_time=77)
    data = replace(label.data, transaction_time=3, customer_id="ann")
    event = feature_event(replace(label, data=data))
    assert event is not None
    assert (event.kind, event.time, event.transaction_time, event.label) == ("label", 77, 3, 1)
    assert entity_keys(event) == {Entity.PAYER: "ann", Entity.CUSTOMER: "ann"}


def test_a_submission_is_not_folded() -> None:
    assert feature_event(submitted("t1")) is None


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
