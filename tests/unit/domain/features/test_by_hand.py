"""Worked examples, with values computed by hand rather than by any engine."""

import pytest

from domain.events import StepUpResult
from domain.features import CATALOGUE, Entity, EntityState, FeatureSet, finish
from domain.features.coordinates import chord_km, unit_vector
from domain.times import DAY, HOUR, MINUTE, SECOND
from tests.builders.feature_events import NOON, paid, values
from tests.fakes.events import transaction


def test_amounts_are_aggregated_in_units_of_the_base_currency() -> None:
    events = [paid(str(amount), NOON - HOUR, amount) for amount in (1000, 2000, 3000)]
    found = values(events, NOON, amount=4000)
    assert found["amount"] == 40.0
    assert found["payer_count_1d"] == 3.0
    assert found["payer_amount_sum_1d"] == 60.0
    assert found["payer_amount_mean_30d"] == 20.0
    assert found["payer_amount_min_30d"] == 10.0
    assert found["payer_amount_max_30d"] == 30.0
    assert found["payer_amount_std_30d"] == pytest.approx(8.16496580927726)
    assert found["payer_amount_to_mean_30d"] == 2.0
    assert found["payer_amount_to_max_30d"] == pytest.approx(4 / 3)
    assert found["payer_amount_z_score_30d"] == pytest.approx(20 / 8.16496580927726)
    assert found["payer_hours_since_last"] == 1.0


def test_a_window_begins_with_the_whole_tile_that_its_span_reaches_back_into() -> None:
    tile = 20 * SECOND
    first = NOON - 10 * MINUTE
    events = [paid("in", first, 1), paid("out", first - 1, 1)]
    assert values(events, NOON)["payer_count_10m"] == 1.0
    assert values(events, NOON + tile - 1)["payer_count_10m"] == 1.0
    assert values(events, NOON + tile)["payer_count_10m"] == 0.0
    assert values(events, NOON - 1)["payer_count_10m"] == 2.0


def test_an_equal_time_counts_when_it_came_before() -> None:
    assert values([paid("tie", NOON, 1)], NOON)["payer_count_10m"] == 1.0


def test_values_fall_as_time_passes_without_events() -> None:
    events = [paid("only", NOON, 500)]
    assert values(events, NOON + 20 * HOUR)["payer_count_1d"] == 1.0
    assert values(events, NOON + 25 * HOUR)["payer_count_1d"] == 0.0
    assert values(events, NOON + 25 * HOUR)["payer_amount_mean_1d"] is None


def test_a_late_event_counts_from_its_arrival_on() -> None:
    now, late = paid("now", NOON, 1), paid("late", NOON - 5 * MINUTE, 1)
    assert values([now], NOON)["payer_count_10m"] == 1.0
    assert values([now, late], NOON)["payer_count_10m"] == 2.0


def test_an_event_before_the_horizon_counts_nowhere_and_is_counted_as_dropped() -> None:
    state = EntityState(Entity.PAYER, "ann")
    state.fold(0, 0, paid("now", NOON, 1))
    before = state.to_bytes()
    assert state.fold(0, 7, paid("ancient", NOON - 120 * DAY, 1))
    assert (state.version, state.dropped) == ({0: 7}, 1)
    assert len(state.to_bytes()) == len(before)


def test_a_shop_is_new_until_it_was_seen_within_thirty_days() -> None:
    seen = [paid("once", NOON, 1)]
    assert values([], NOON)["payer_new_merchant"] == 1.0
    assert values(seen, NOON + DAY)["payer_new_merchant"] == 0.0
    assert values(seen, NOON + 31 * DAY)["payer_new_merchant"] == 1.0
    assert values(seen, NOON)["payer_new_country"] == 1.0
    assert values(seen, NOON)["payer_new_device"] is None


def test_distinct_payers_count_each_once_and_are_estimated_past_the_cap() -> None:
    events = [paid(str(n), NOON, 1, customer_id=f"c{n % 5}") for n in range(20)]
    assert values(events, NOON)["merchant_distinct_payers_1d"] == 5.0
    events = [paid(str(n), NOON, 1, customer_id=f"c{n}") for n in range(300)]
    estimate = values(events, NOON)["merchant_distinct_payers_1d"]
    assert estimate is not None
    assert 200 < estimate < 400


def test_past_the_cap_the_latest_values_stay() -> None:
    old = [paid(f"o{n}", NOON - DAY, 1, merchant_id=f"m{n}") for n in range(256)]
    new = [paid("n", NOON, 1)]
    for events in (old + new, new + old):
        state = EntityState(Entity.PAYER, "ann")
        for offset, event in enumerate(events):
            state.fold(0, offset, event)
        seen = [f"m{n}" for n in range(256)]
        assert _is_new(state, "shop") == 0.0
        assert sum(_is_new(state, merchant) for merchant in seen) == 1.0


def _is_new(state: EntityState, merchant: str) -> float:
    there = transaction("x", timestamp=NOON, customer_id="ann", merchant_id=merchant)
    vector = finish({Entity.PAYER: state}, there)
    value = vector[CATALOGUE.names.index("payer_new_merchant")]
    assert value is not None
    return value


def test_an_entity_never_seen_has_counts_of_zero_and_one_without_state_is_unknown() -> None:
    found = values([], NOON)
    assert found["payer_count_1d"] == 0.0
    assert found["payer_amount_sum_1d"] == 0.0
    assert found["payer_amount_mean_7d"] is None
    assert found["card_count_1d"] is None


def test_sums_of_squares_stay_exact_where_floats_would_cancel() -> None:
    events = [paid(str(n), NOON, 10**12) for n in range(3)]
    found = values(events, NOON)
    assert found["payer_amount_std_30d"] == 0.0
    assert found["payer_amount_z_score_30d"] is None


def test_the_order_of_the_roundings_is_fixed_to_the_last_bit() -> None:
    small = [paid(str(n), NOON, n) for n in (33995, 72193, 30715)]
    assert values(small, NOON, amount=3142)["payer_amount_to_mean_30d"] == 0.06885166869973632
    large = (7994870647611448, 8349089667030878, 5711911090035848)
    found = values([paid(str(n), NOON, n) for n in large], NOON, amount=6584618136201181)
    assert found["payer_amount_z_score_30d"] == -0.6565922093163687


def test_geo_speed_is_the_chord_over_the_hours_between() -> None:
    munich, berlin = (48.137, 11.575), (52.52, 13.405)
    x, y, z = unit_vector(*munich)
    state = EntityState(Entity.CARD, "card")
    state.fold(0, 0, paid("m", NOON, 1, card_id="card", x=x, y=y, z=z))
    there = transaction(
        "b", timestamp=NOON + 30 * MINUTE, card_id="card", lat=berlin[0], lon=berlin[1]
    )
    found = dict(zip(CATALOGUE.names, finish({Entity.CARD: state}, there), strict=True))
    assert found["card_km_from_last"] == pytest.approx(504.2, abs=1.0)
    assert found["card_speed"] == pytest.approx(1008.4, abs=2.0)


def test_of_places_at_one_time_the_greater_event_id_is_the_last_whichever_came_first() -> None:
    here = transaction("x", timestamp=NOON + HOUR, card_id="card", lat=0.0, lon=0.0)
    events = [
        paid(name, NOON, 1, card_id="card", x=x, y=y, z=z)
        for name, (x, y, z) in (("p", unit_vector(0.0, 1.0)), ("q", unit_vector(0.0, 9.0)))
    ]
    vectors = []
    for arrived in (events, events[::-1]):
        state = EntityState(Entity.CARD, "card")
        for offset, event in enumerate(arrived):
            state.fold(0, offset, event)
        vectors.append(finish({Entity.CARD: state}, here)[CATALOGUE.names.index("card_speed")])
    greater = max(events, key=lambda event: event.order)
    assert greater.place is not None
    assert vectors == [chord_km(greater.place, unit_vector(0.0, 0.0))] * 2


def test_a_state_held_for_years_stays_bounded_without_being_written() -> None:
    x, y, z = unit_vector(48.0, 11.0)
    state = EntityState(Entity.CARD, "card")
    for hour in range(24 * 100):
        time = NOON + hour * HOUR
        state.fold(0, hour, paid(str(hour), time, 1, card_id="card", x=x, y=y, z=z))
    assert max(state.inspect().items) <= 256
    assert len(state.pending[1]) <= 256


def test_finishing_with_a_state_of_other_features_is_refused() -> None:
    features = FeatureSet(CATALOGUE.features[:20])
    with pytest.raises(ValueError, match="belongs to other features"):
        finish({Entity.CARD: EntityState(Entity.CARD, "c", features)}, transaction("x"))


def test_an_amount_is_compared_with_ordinary_amounts_whatever_outliers_there_were() -> None:
    """Of 10, 20, 30, 40 and 1000 the median is 30, and the distances from it 0, 10, 10, 20, 970."""
    amounts = (4000, 1000, 100_000, 3000, 2000)
    events = [paid(str(i), NOON - i * DAY, amount) for i, amount in enumerate(amounts)]
    found = values(events, NOON, amount=6000)
    assert found["payer_amount_to_median_90d"] == 2.0
    assert found["payer_amount_robust_z_90d"] == 3.0
    assert found["payer_amount_to_core_mean_90d"] == 2.4
    assert values([paid("one", NOON, 5)], NOON)["payer_amount_robust_z_90d"] is None


def test_amounts_far_above_the_usual_are_counted_and_dated() -> None:
    usual = [paid(f"u{i}", NOON - 40 * DAY + i * HOUR, 1000) for i in range(9)]
    days = (35, 13, 6, 1)
    far = [paid(f"f{day}", NOON - day * DAY, 3001 + day) for day in days]
    near = [paid("near", NOON - HOUR, 3000)]
    found = values([*usual, *far, *near], NOON)
    assert (found["payer_far_count_7d"], found["payer_far_count_14d"]) == (2.0, 3.0)
    assert found["payer_hours_since_last_far_30d"] == 24.0
    assert found["payer_hours_since_first_far_14d"] == 13 * 24.0
    assert found["payer_amount_max_to_median_7d"] == pytest.approx(3.007)
    assert found["payer_amount_max_to_median_14d"] == pytest.approx(3.014)
    assert values(usual, NOON)["payer_hours_since_last_far_30d"] is None
    assert values(usual, NOON)["payer_amount_max_to_median_7d"] is None


def test_step_ups_are_counted_by_how_they_ended_at_the_time_of_their_payment() -> None:
    asked = [paid(name, NOON - HOUR, 700, card_id="c") for name in "abcd"]
    ends: tuple[StepUpResult, ...] = ("failed", "abandoned", "passed")
    ended = [
        each._replace(kind="step_up", outcome=end) for each, end in zip(asked, ends, strict=False)
    ]
    found = values([*asked, *ended], NOON)
    assert (found["payer_step_ups_failed_1d"], found["payer_step_ups_passed_30d"]) == (2.0, 1.0)
    # They are no attempts: nothing else moves by them.
    assert (found["payer_count_1d"], found["payer_amount_sum_1d"]) == (4.0, 28.0)
    later = values([*asked, *ended], NOON + 25 * HOUR)
    assert (later["payer_step_ups_failed_1d"], later["payer_step_ups_failed_7d"]) == (0.0, 2.0)
