"""Days: equal for equal seeds, in time order, with possible values."""

import ipaddress
import re
from dataclasses import fields
from itertools import islice, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import SettingsError
from domain.times import DAY
from domain.transactions import CHANNELS, Transaction
from simulator.columns import Columns
from simulator.day import Day
from simulator.frauds import HORIZON_DAYS
from simulator.population.geography import CITIES, CURRENCY_OF, distance_km
from simulator.population.trips import KEPT_BLOCKS
from simulator.records import SimulatedTransaction
from simulator.settings import SimulationSettings
from simulator.simulation import Simulation

small_settings = st.builds(
    SimulationSettings,
    seed=st.integers(0, 2**40),
    start_us=st.integers(0, 2**50),
    customers=st.integers(10, 300),
    merchants=st.integers(10, 200),
    per_day=st.floats(1, 400),
    fraud_rate=st.floats(0, 0.5),
)


def bits(columns: Columns) -> list[bytes]:
    return [getattr(columns, field.name).tobytes() for field in fields(Columns)]


@given(small_settings, st.integers(0, 40))
@settings(max_examples=25, deadline=None)
def test_same_settings_give_the_same_bits(chosen: SimulationSettings, index: int) -> None:
    one, other = Simulation(chosen).day(index), Simulation(chosen).day(index)
    assert bits(one.columns) == bits(other.columns)
    assert list(one.transactions()) == list(other.transactions())
    assert one.labels() == other.labels()


@given(small_settings)
@settings(max_examples=15, deadline=None)
def test_any_settings_give_ordered_days_with_unique_ids(chosen: SimulationSettings) -> None:
    ids: set[str] = set()
    for day in Simulation(chosen).days(3):
        times = day.columns.timestamp
        assert np.all(np.diff(times) >= 0)
        assert np.all((times >= day.start_us) & (times < day.start_us + DAY))
        assert day.start_us == chosen.start_us + day.index * DAY
        found = [tx.transaction_id for tx in day.transactions()]
        assert not ids.intersection(found)
        ids.update(found)
        assert len(set(found)) == len(found) == len(day)


def test_another_seed_gives_other_traffic() -> None:
    one, other = (Simulation(SimulationSettings(seed=seed)).day(0).columns for seed in (1, 2))
    assert bits(one) != bits(other)


def test_endless_and_bounded_runs_have_equal_days(simulation: Simulation, month: list[Day]) -> None:
    endless = Simulation(simulation.settings).days()
    for expected, found in zip(month[:20], islice(endless, 20), strict=True):
        assert bits(found.columns) == bits(expected.columns)
    assert bits(Simulation(simulation.settings).day(30).columns) == bits(month[30].columns)
    (begun_late,) = Simulation(simulation.settings).days(1, first=25)
    assert bits(begun_late.columns) == bits(month[25].columns)


def test_endless_days_are_made_one_at_a_time_and_not_kept(simulation: Simulation) -> None:
    run = Simulation(simulation.settings)
    sizes = []
    for day in islice(run.days(), 60):
        sizes.append(len(run._campaigns._begun) + len(run.world.trips._blocks))
        assert day.index == len(sizes) - 1
    assert max(sizes) <= HORIZON_DAYS + KEPT_BLOCKS


def test_id_prefix_changes_ids_and_nothing_else(simulation: Simulation, month: list[Day]) -> None:
    chosen = SimulationSettings(
        seed=7, customers=2_000, merchants=400, per_day=5_000, fraud_rate=0.01, id_prefix="live-"
    )
    renamed = Simulation(chosen).day(3)
    assert bits(renamed.columns) == bits(month[3].columns)
    pairs = zip(renamed.transactions(), month[3].transactions(), strict=True)
    for new, old in pairs:
        assert new.transaction_id == old.transaction_id.replace("sim-", "live-")
    for new_label, old_label in zip(renamed.labels(), month[3].labels(), strict=True):
        assert new_label.reference == old_label.reference.replace("sim-", "live-")
        assert new_label.known_at == old_label.known_at


def test_batches_of_any_size_make_up_the_day(month: list[Day]) -> None:
    whole = list(month[0].transactions())
    for rows in (1_000, 1_777, len(whole), 10**6):
        batches = list(month[0].batches(rows))
        assert [tx for batch in batches for tx in batch.transactions()] == whole
        assert all(len(batch) == rows for batch in batches[:-1])


def test_records_have_the_canonical_fields_and_the_truth(month: list[Day]) -> None:
    ours = {field.name for field in fields(SimulatedTransaction)}
    cleaned = {field.name for field in fields(Transaction)}
    assert ours - {"fraud", "fraud_kind"} == cleaned - {"base_amount", "card_bin", "card_last4"}
    assert all(tx.fraud == (tx.fraud_kind is not None) for tx in month[0].transactions())


def test_impossible_values_never_appear(month: list[Day]) -> None:
    assert set(CURRENCY_OF) == {city.country for city in CITIES}
    for tx in (tx for day in month[:5] for tx in day.transactions()):
        assert -90 <= tx.lat <= 90
        assert -180 <= tx.lon <= 180
        assert re.fullmatch(r"\d{4}", tx.mcc)
        assert CURRENCY_OF[tx.country] == tx.currency
        assert tx.channel in CHANNELS
        assert 0 <= tx.amount < 10**9
        assert re.fullmatch(r"\d{6}", tx.attributes["bin"])
        assert re.fullmatch(r"\d{4}", tx.attributes["last4"])
        assert (tx.ip is not None) == (tx.channel == "ecom")
        if tx.ip is not None:
            assert ipaddress.IPv4Address(tx.ip)
            assert tx.device_id is not None
        if tx.channel in ("pos", "atm", "moto"):
            assert tx.device_id is None


def test_texts_of_a_device_neither_collide_nor_change(month: list[Day]) -> None:
    text_of: dict[int, str | None] = {}
    for day in month[:10]:
        texts = day.names.devices(day.columns.device)
        for code, text in zip(day.columns.device.tolist(), texts, strict=True):
            assert text_of.setdefault(code, text) == text
    assert len(set(text_of.values())) == len(text_of)


def test_volume_follows_the_week_and_the_hour(month: list[Day]) -> None:
    # Day 0 is a Thursday, so that Fridays are 1, 8, ... and Sundays 3, 10, ...
    friday = np.mean([len(day) for day in month[1::7]])
    sunday = np.mean([len(day) for day in month[3::7]])
    assert friday > 1.2 * sunday
    assert np.mean([len(day) for day in month[:35]]) == pytest.approx(5_000, rel=0.05)
    london = [
        tx.timestamp // 3_600_000_000 % 24
        for tx in month[4].transactions()
        if tx.country == "GB" and tx.channel != "ecom"
    ]
    counts = np.bincount(np.array(london), minlength=24)
    assert counts[12:20].sum() > 8 * counts[0:6].sum()


def test_shops_sell_in_their_opening_hours_alone(simulation: Simulation, month: list[Day]) -> None:
    shops = simulation.world.merchants
    for day in month[:5]:
        honest = day.columns.take(day.columns.kind == 0)
        spot = honest.take(honest.merchant < shops.on_the_spot)
        offset = simulation.world.city_offset[shops.city[spot.merchant]]
        hour = (spot.timestamp // 3_600_000_000 + offset) % 24
        assert np.all(hour >= shops.opens[spot.merchant])
        assert np.all(hour < shops.closes[spot.merchant])


def test_amounts_differ_by_category_and_by_customer(month: list[Day]) -> None:
    euros: dict[str, list[int]] = {}
    for tx in (tx for day in month[:15] for tx in day.transactions()):
        if tx.currency == "EUR" and not tx.fraud and tx.amount:
            euros.setdefault(tx.mcc, []).append(tx.amount)
    medians = {mcc: float(np.median(amounts)) for mcc, amounts in euros.items()}
    assert medians["4111"] < medians["5814"] < medians["5411"] < medians["5732"]


def test_zero_amounts_are_a_small_share_and_remote(month: list[Day]) -> None:
    every = [tx for day in month[:15] for tx in day.transactions()]
    zero = [tx for tx in every if tx.amount == 0]
    assert 0.001 < len(zero) / len(every) < 0.01
    assert {tx.channel for tx in zero} <= {"ecom", "moto"}


def test_popularity_is_zipf_like(month: list[Day]) -> None:
    visits = np.bincount(np.concatenate([day.columns.merchant for day in month]), minlength=400)
    ranked = np.sort(visits)[::-1]
    assert ranked[:40].sum() > 0.3 * ranked.sum()
    assert np.count_nonzero(ranked) > 300


def test_honest_holders_never_travel_faster_than_aeroplanes(month: list[Day]) -> None:
    last: dict[int, tuple[int, float, float]] = {}
    for day in month:
        columns = day.columns.take(day.columns.kind == 0)
        present = columns.take(columns.device == -1)
        for card, at, lat, lon in zip(
            present.customer.tolist(), present.timestamp.tolist(), present.lat.tolist(),
            present.lon.tolist(), strict=True,
        ):  # fmt: skip
            if card in last:
                before, old_lat, old_lon = last[card]
                km = float(distance_km(*map(np.array, (old_lat, old_lon, lat, lon))))
                assert km < 50 or km / ((at - before) / 3.6e9) < 1_000
            last[card] = (at, lat, lon)


def test_some_holders_travel(month: list[Day]) -> None:
    countries: dict[str, set[str]] = {}
    for tx in (tx for day in month for tx in day.transactions() if not tx.fraud):
        countries.setdefault(tx.customer_id, set()).add(tx.country)
    assert sum(len(seen) > 1 for seen in countries.values()) > 0.05 * len(countries)


def test_customers_have_one_to_two_cards_and_one_to_three_devices(month: list[Day]) -> None:
    cards: dict[str, set[str]] = {}
    devices: dict[str, set[str]] = {}
    for tx in (tx for day in month[:20] for tx in day.transactions() if not tx.fraud):
        cards.setdefault(tx.customer_id, set()).add(tx.card_id)
        if tx.device_id:
            devices.setdefault(tx.customer_id, set()).add(tx.device_id)
    assert {len(owned) for owned in cards.values()} == {1, 2}
    # A replaced device counts twice.
    assert {1, 2, 3} <= {len(owned) for owned in devices.values()} <= {1, 2, 3, 4, 5, 6}


def test_days_before_the_first_are_refused(simulation: Simulation) -> None:
    with pytest.raises(IndexError):
        simulation.day(-1)


@pytest.mark.parametrize(
    ("field", "value"),
    [("seed", -1), ("customers", 0), ("merchants", 3), ("fraud_rate", 0.9), ("per_day", 0)],
)
def test_settings_out_of_range_are_refused_by_name(field: str, value: float) -> None:
    with pytest.raises(SettingsError, match=field):
        SimulationSettings(**{field: value})  # type: ignore[arg-type]


def test_days_stay_in_order_across_midnight(month: list[Day]) -> None:
    for before, after in pairwise(month):
        assert before.columns.timestamp[-1] < after.columns.timestamp[0]
