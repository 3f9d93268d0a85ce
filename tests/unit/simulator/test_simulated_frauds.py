"""Frauds: near the rate asked for, of every kind, each with its signature."""

from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest

from domain.times import DAY, HOUR, MINUTE
from simulator.columns import CHANNELS, ECOM, NO_DEVICE, POS, Columns, concatenated
from simulator.day import Day
from simulator.frauds import FRAUD_KINDS
from simulator.frauds.kinds import FraudKind
from simulator.population.geography import MINOR_PER_EURO, distance_km
from simulator.settings import SimulationSettings
from simulator.simulation import Simulation
from simulator.streams import stream

KINDS = {kind.name: kind for kind in FRAUD_KINDS}


def campaigns(simulation: Simulation, name: str, number: int = 40) -> Iterator[Columns]:
    for day in range(number):
        rng = stream(99, f"test.{name}", day)
        yield KINDS[name].plan(simulation.world, rng, day).in_time_order()


def frauds(rows: Columns) -> Columns:
    return rows.take(rows.kind == 1)


def euros(rows: Columns) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.asarray(rows.amount / MINOR_PER_EURO[rows.country])


@pytest.mark.parametrize("rate", [0.0, 0.005, 0.02])
def test_share_of_fraud_is_near_the_one_asked_for(rate: float) -> None:
    run = Simulation(
        SimulationSettings(seed=5, customers=2_000, merchants=300, per_day=8_000, fraud_rate=rate)
    )
    kinds = np.concatenate([day.columns.kind for day in run.days(60)])
    assert (kinds > 0).mean() == pytest.approx(rate, rel=0.15)


def test_every_kind_appears_with_about_its_share(month: list[Day]) -> None:
    found = Counter(tx.fraud_kind for day in month for tx in day.transactions() if tx.fraud)
    assert set(found) == set(KINDS)
    total = sum(found.values())
    for kind in FRAUD_KINDS:
        assert found[kind.name] / total == pytest.approx(kind.share, rel=0.6), kind.name


def test_shares_of_the_kinds_add_up() -> None:
    assert sum(kind.share for kind in FRAUD_KINDS) == pytest.approx(1.0)
    assert len(KINDS) == 6


@pytest.mark.parametrize("kind", FRAUD_KINDS, ids=lambda kind: kind.name)
def test_campaigns_keep_to_their_size_and_horizon(simulation: Simulation, kind: FraudKind) -> None:
    sizes = []
    for day, rows in enumerate(campaigns(simulation, kind.name, 150)):
        start = simulation.settings.day_start(day)
        assert rows.timestamp.min() >= start
        assert rows.timestamp.max() < start + kind.horizon_days * DAY
        assert set(rows.kind.tolist()) <= {0, 1}
        sizes.append(len(frauds(rows)))
    assert np.mean(sizes) == pytest.approx(kind.mean_frauds, rel=0.1)


def test_campaigns_spill_into_later_days_without_loss(simulation: Simulation) -> None:
    per_day = simulation._campaigns
    rows = concatenated([part for day in range(20) for part in per_day.on(day)])
    begun = concatenated([per_day._plans(day) for day in range(-15, 20)])
    first, end = simulation.settings.day_start(0), simulation.settings.day_start(20)
    expected = begun.between(first, end).in_time_order()
    assert np.array_equal(np.sort(rows.timestamp), expected.timestamp)


def test_card_testing_tries_many_cards_for_little_at_one_web_shop(simulation: Simulation) -> None:
    for rows in campaigns(simulation, "card_testing"):
        assert len(np.unique(rows.card)) == len(rows) >= 15
        assert len(np.unique(rows.merchant)) == len(np.unique(rows.device)) == 1
        assert set(rows.channel.tolist()) == {ECOM}
        assert np.ptp(rows.timestamp) < 10 * MINUTE
        assert euros(rows).max() < 3.0


def test_sprees_rise_on_one_card_within_hours(simulation: Simulation) -> None:
    for rows in campaigns(simulation, "stolen_card_spree"):
        assert len(np.unique(rows.card)) == 1
        assert len(rows) >= 4
        assert np.ptp(rows.timestamp) < 3 * HOUR
        spent = euros(rows)
        assert np.all(np.diff(spent) > -0.5)
        assert spent[-1] > 1.8 * spent[0]


def test_takeovers_come_from_a_new_device_abroad_for_much(
    simulation: Simulation, month: list[Day]
) -> None:
    known = set(np.concatenate([d.columns.device[d.columns.kind == 0] for d in month]).tolist())
    people = simulation.world.customers
    for rows in campaigns(simulation, "account_takeover"):
        victim = int(rows.customer[0])
        assert set(rows.customer.tolist()) == {victim}
        assert len(np.unique(rows.device)) == 1
        assert rows.device[0] not in known
        assert np.all(rows.country != people.country[victim])
        assert not {people.ip_home[victim], people.ip_mobile[victim]} & set(rows.ip.tolist())
        assert np.all(euros(rows) >= 110 * people.spending[victim])


def test_skimmed_cards_were_at_the_terminal_before_they_are_used(simulation: Simulation) -> None:
    for rows in campaigns(simulation, "compromised_terminal"):
        visits, used = rows.take(rows.kind == 0), frauds(rows)
        (terminal,) = np.unique(visits.merchant)
        assert simulation.world.merchants.channel[terminal] == POS
        visited = dict(zip(visits.card.tolist(), visits.timestamp.tolist(), strict=True))
        at_terminal = used.take(used.merchant == terminal)
        elsewhere = used.take(used.merchant != terminal)
        assert 3 <= len(at_terminal) <= 7
        assert np.ptp(at_terminal.timestamp) < 2 * HOUR
        assert len(np.unique(elsewhere.card)) == len(visits) >= 2
        for card, at in zip(elsewhere.card.tolist(), elsewhere.timestamp.tolist(), strict=True):
            assert at > visited[card] + DAY
        cities = simulation.world.merchants.city
        assert np.all(cities[elsewhere.merchant] != cities[terminal])


def test_impossible_travel_is_in_two_far_places_within_the_hour(simulation: Simulation) -> None:
    for rows in campaigns(simulation, "impossible_travel"):
        (holder,) = np.flatnonzero(rows.kind == 0)
        copies = frauds(rows)
        assert len(np.unique(rows.card)) == 1
        assert np.all(copies.timestamp > rows.timestamp[holder])
        assert np.ptp(rows.timestamp) < HOUR
        km = distance_km(copies.lat, copies.lon, rows.lat[[holder]], rows.lon[[holder]])
        assert np.all(km > 1_000)


def test_colluding_merchants_charge_few_cards_far_above_prices(simulation: Simulation) -> None:
    shops = simulation.world.merchants
    for rows in campaigns(simulation, "colluding_merchant"):
        (shop,) = np.unique(rows.merchant)
        assert len(rows) >= 15
        assert len(np.unique(rows.card)) <= 12
        assert np.ptp(rows.timestamp) < 4 * DAY
        assert np.median(euros(rows)) > 4 * shops.euros[shop]


def test_frauds_on_the_spot_have_neither_device_nor_address(month: list[Day]) -> None:
    for day in month:
        rows = day.columns.take((day.columns.kind > 0) & (day.columns.channel != ECOM))
        assert np.all(rows.device == NO_DEVICE)
        assert np.all(rows.ip == 0)
        assert CHANNELS[ECOM] == "ecom"


def test_simple_velocities_tell_fraud_from_honest_traffic(month: list[Day]) -> None:
    """What a model could learn is there: four plain rules rank fraud above honesty."""
    amounts: dict[int, list[float]] = {}
    devices: dict[int, set[int]] = {}
    recent: dict[tuple[str, int], list[int]] = {}
    hits, truth = [], []
    for day in month[:24]:
        rows = day.columns
        spent = euros(rows)
        for i in range(len(rows)):
            card, customer = int(rows.card[i]), int(rows.customer[i])
            merchant, device = int(rows.merchant[i]), int(rows.device[i])
            at, before = int(rows.timestamp[i]), amounts.setdefault(customer, [])
            fresh = device != NO_DEVICE and device not in devices.setdefault(customer, set())
            usual = float(np.median(before[-20:])) if len(before) > 4 else 30.0
            burst = [recent.setdefault(key, []) for key in (("c", card), ("m", merchant))]
            for times in burst:
                times.append(at)
                while times[0] < at - HOUR:
                    times.pop(0)
            risky = [fresh and len(before) > 4, spent[i] > 5 * usual and spent[i] > 60]
            risky += [len(burst[0]) > 2, len(burst[1]) > 8]
            hits.append(sum(risky))
            truth.append(rows.kind[i] > 0)
            before.append(float(spent[i]))
            devices.setdefault(customer, set()).add(device)
    # The first days know too little of anyone.
    score, real = np.array(hits)[60_000:], np.array(truth)[60_000:]
    honest = np.bincount(score[~real], minlength=5) / (~real).sum()
    fraud = np.bincount(score[real], minlength=5) / real.sum()
    area_under_curve = float(fraud @ (np.cumsum(honest) - honest / 2))
    assert area_under_curve > 0.8
    assert real[score >= 2].mean() > 20 * real.mean()
