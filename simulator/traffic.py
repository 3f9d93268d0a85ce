"""Honest payments of a day. Frauds are in frauds/."""

import numpy as np

from simulator.columns import (
    ATM,
    CONTACTLESS,
    ECOM,
    MOTO,
    NO_DEVICE,
    NO_IP,
    POS,
    Bools,
    Columns,
    Floats,
    Ints,
)
from simulator.population.categories import CATEGORIES
from simulator.population.customers import LOCAL_FAVOURITES, REMOTE_FAVOURITES
from simulator.population.geography import CASH_NOTE, MINOR_PER_EURO, mobile_ip
from simulator.population.rhythm import WEEKDAY_VOLUME, instants, weekday
from simulator.population.trips import HOME, IN_TRANSIT
from simulator.population.world import World
from simulator.streams import stream

_LOYAL_ON_THE_SPOT = 0.7
_LOYAL_REMOTE = 0.6
_CONTACTLESS_EUROS = 50.0
_SIGMA = np.array([entry.sigma for entry in CATEGORIES])


def honest_traffic(world: World, day: int) -> Columns:
    """All payments by their true holders on that day, in no particular order."""
    whereabouts = world.trips.whereabouts(day)
    customer = _payers(world, day)
    customer = customer[whereabouts[customer] != IN_TRANSIT]
    place = whereabouts[customer]
    at_home = place == HOME
    city = np.where(at_home, world.customers.city[customer], place)
    merchant = _merchants(world, day, customer, city, at_home)
    remote = merchant >= world.merchants.on_the_spot
    where = stream(world.settings.seed, "traffic.location", day)
    country = world.city_country[city]
    euros = _euros(world, day, customer, merchant)
    channel = _channels(world, day, merchant, euros)
    lat, lon = _locations(world, where, customer, city, at_home)
    return Columns(
        timestamp=_times(world, day, customer, merchant, city),
        amount=_amounts(world, day, euros, country, channel),
        country=country,
        card=world.some_card(stream(world.settings.seed, "traffic.card", day), customer),
        merchant=merchant,
        device=_devices(world, day, customer, channel),
        ip=_addresses(world, day, customer, channel, at_home, country),
        lat=np.where(remote, lat, world.merchants.lat[merchant]),
        lon=np.where(remote, lon, world.merchants.lon[merchant]),
        channel=channel,
        kind=np.zeros(len(customer), dtype=np.int64),
    )


def minor_units(euros: Floats, country: Ints) -> Ints:
    """The amount in the country's money; never 0, which means a verification."""
    return np.maximum(np.rint(euros * MINOR_PER_EURO[country]), 1).astype(np.int64)


def _payers(world: World, day: int) -> Ints:
    settings = world.settings
    rng = stream(settings.seed, "traffic.customer", day)
    weekday_ = weekday(settings.day_start(day))
    mean = settings.per_day * (1 - settings.fraud_rate) * WEEKDAY_VOLUME[weekday_]
    weight = world.customers.activity
    if weekday_ >= 5:
        weight = weight * world.customers.weekend
    cumulated = np.cumsum(weight)
    wanted = rng.random(int(rng.poisson(mean))) * cumulated[-1]
    found = np.searchsorted(cumulated, wanted, side="right")
    return np.asarray(np.minimum(found, len(cumulated) - 1))


def _merchants(world: World, day: int, customer: Ints, city: Ints, at_home: Bools) -> Ints:
    rng = stream(world.settings.seed, "traffic.merchant", day)
    count, people = len(customer), world.customers
    remote = rng.random(count) < people.remote_share[customer]
    loyal = rng.random(count)
    favourite = people.local_favourites[customer, rng.integers(LOCAL_FAVOURITES, size=count)]
    popular = world.merchants.popular_in(rng, city)
    spot = np.where(at_home & (loyal < _LOYAL_ON_THE_SPOT), favourite, popular)
    known = people.remote_favourites[customer, rng.integers(REMOTE_FAVOURITES, size=count)]
    other = world.merchants.popular_remote(rng, count)
    return np.where(remote, np.where(loyal < _LOYAL_REMOTE, known, other), spot)


def _times(world: World, day: int, customer: Ints, merchant: Ints, city: Ints) -> Ints:
    rng = stream(world.settings.seed, "traffic.time", day)
    opens, closes = world.merchants.opens[merchant], world.merchants.closes[merchant]
    hour = world.rhythm.local_hours(rng, world.customers.profile[customer], opens, closes)
    return instants(world.settings.day_start(day), hour, world.city_offset[city])


def _euros(world: World, day: int, customer: Ints, merchant: Ints) -> Floats:
    """Lognormal per customer and merchant category."""
    rng = stream(world.settings.seed, "traffic.amount", day)
    category = world.merchants.category[merchant]
    level = world.customers.spending[customer] * world.customers.taste[customer, category]
    noise = np.exp(_SIGMA[category] * rng.standard_normal(len(customer)))
    return np.asarray(np.clip(world.merchants.euros[merchant] * level * noise, 0.3, 20_000.0))


def _amounts(world: World, day: int, euros: Floats, country: Ints, channel: Ints) -> Ints:
    rng = stream(world.settings.seed, "traffic.verification", day)
    amount = minor_units(euros, country)
    note = CASH_NOTE[country]
    amount = np.where(channel == ATM, np.maximum(amount // note, 1) * note, amount)
    verified = rng.random(len(amount)) < world.settings.verification_rate
    return np.where(verified & ((channel == ECOM) | (channel == MOTO)), 0, amount)


def _channels(world: World, day: int, merchant: Ints, euros: Floats) -> Ints:
    rng = stream(world.settings.seed, "traffic.channel", day)
    channel = world.merchants.channel[merchant]
    tapped = rng.random(len(merchant)) < np.where(euros < _CONTACTLESS_EUROS, 0.65, 0.15)
    return np.where((channel == POS) & tapped, CONTACTLESS, channel)


def _devices(world: World, day: int, customer: Ints, channel: Ints) -> Ints:
    rng = stream(world.settings.seed, "traffic.device", day)
    # The first device is the favourite, and the one that holds the wallet.
    draw = np.floor(rng.random(len(customer)) ** 2 * world.customers.devices[customer])
    tapped = (channel == CONTACTLESS) & world.customers.wallet[customer]
    which = np.where(tapped, 0, draw.astype(np.int64))
    own = world.own_device(customer, which, day)
    return np.where((channel == ECOM) | tapped, own, NO_DEVICE)


def _addresses(
    world: World, day: int, customer: Ints, channel: Ints, at_home: Bools, country: Ints
) -> Ints:
    rng = stream(world.settings.seed, "traffic.ip", day)
    mobile = rng.random(len(customer)) < 0.3
    people = world.customers
    own = np.where(mobile, people.ip_mobile[customer], people.ip_home[customer])
    roaming = mobile_ip(country, customer)
    return np.where(channel == ECOM, np.where(at_home, own, roaming), NO_IP)


def _locations(
    world: World, rng: np.random.Generator, customer: Ints, city: Ints, at_home: Bools
) -> tuple[Floats, Floats]:
    """Of remote payments: the address locates to within some kilometres of its user."""
    jitter = rng.normal(0.0, 0.02, (2, len(customer)))
    lat = np.where(at_home, world.customers.lat[customer], world.city_lat[city])
    lon = np.where(at_home, world.customers.lon[customer], world.city_lon[city])
    return np.round(lat + jitter[0], 5), np.round(lon + jitter[1], 5)
