"""Payments of fraud campaigns: at terminals and online."""

import numpy as np

from simulator.columns import (
    ATM,
    CONTACTLESS,
    ECOM,
    NO_DEVICE,
    NO_IP,
    POS,
    Bools,
    Columns,
    Floats,
    Ints,
)
from simulator.population.geography import CASH_NOTE, home_ip
from simulator.population.rhythm import instants
from simulator.population.world import World
from simulator.traffic import minor_units

FRAUD, HONEST = 1, 0


def moment(
    world: World, rng: np.random.Generator, day: int, city: int, opens: float, closes: float
) -> int:
    """A moment of that day at which the city's clocks show an hour in [opens, closes)."""
    hour = np.array([rng.uniform(opens, closes)])
    start = world.settings.day_start(day)
    return int(instants(start, hour, world.city_offset[np.array([city])])[0])


def at_terminals(
    world: World,
    rng: np.random.Generator,
    timestamp: Ints,
    card: Ints,
    merchant: Ints,
    euros: Floats,
    kind: int = FRAUD,
) -> Columns:
    """Payments with the card (or a copy of it) present, so without device and address."""
    country = world.city_country[world.merchants.city[merchant]]
    cash = world.merchants.channel[merchant] == ATM
    tapped = (euros < 50.0) & (rng.random(len(card)) < 0.5)
    amount = minor_units(euros, country)
    note = CASH_NOTE[country]
    return Columns(
        timestamp=timestamp,
        amount=np.where(cash, np.maximum(amount // note, 1) * note, amount),
        country=country,
        card=card,
        merchant=merchant,
        device=np.full(len(card), NO_DEVICE, dtype=np.int64),
        ip=np.full(len(card), NO_IP, dtype=np.int64),
        lat=world.merchants.lat[merchant],
        lon=world.merchants.lon[merchant],
        channel=np.where(cash, ATM, np.where(tapped, CONTACTLESS, POS)),
        kind=np.full(len(card), kind, dtype=np.int64),
    )


def online(
    world: World,
    rng: np.random.Generator,
    timestamp: Ints,
    card: Ints,
    merchant: Ints,
    euros: Floats,
    device: Ints,
    city: int,
) -> Columns:
    """Remote frauds from a city that the fraudster, or a proxy of theirs, is in."""
    count = len(card)
    country = np.full(count, world.city_country[city], dtype=np.int64)
    # Few addresses, most of the time one, and from the same blocks as everyone's.
    hosts = rng.integers(1 << 20, size=2)[(rng.random(count) < 0.25).astype(np.int64)]
    jitter = rng.normal(0.0, 0.02, 2)
    return Columns(
        timestamp=timestamp,
        amount=minor_units(euros, country),
        country=country,
        card=card,
        merchant=merchant,
        device=device,
        ip=home_ip(country, hosts),
        lat=np.full(count, round(float(world.city_lat[city] + jitter[0]), 5)),
        lon=np.full(count, round(float(world.city_lon[city] + jitter[1]), 5)),
        channel=np.full(count, ECOM, dtype=np.int64),
        kind=np.full(count, FRAUD, dtype=np.int64),
    )


def web_merchants(world: World, rng: np.random.Generator, count: int) -> Ints:
    """Remote merchants that sell on the web; a world has at least one."""
    drawn = world.merchants.popular_remote(rng, count)
    first = world.merchants.on_the_spot
    return np.where(world.merchants.channel[drawn] == ECOM, drawn, first)


def shops(world: World) -> Bools:
    """Merchants on the spot that are not cash machines."""
    return np.asarray(world.merchants.channel == POS)


def other_city(world: World, rng: np.random.Generator, city: int) -> int:
    return int((city + rng.integers(1, len(world.city_country))) % len(world.city_country))
