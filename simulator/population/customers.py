"""Customers with their habits, devices, addresses and cards."""

from dataclasses import dataclass

import numpy as np

from simulator.columns import CARDS_PER_CUSTOMER, Bools, Floats, Ints
from simulator.population.categories import CATEGORIES
from simulator.population.geography import CITIES, COUNTRIES, home_ip, mobile_ip
from simulator.population.merchants import Merchants
from simulator.population.rhythm import PROFILES
from simulator.settings import SimulationSettings
from simulator.streams import stream

LOCAL_FAVOURITES = 8
REMOTE_FAVOURITES = 5
ISSUERS_PER_COUNTRY = 3


@dataclass(frozen=True, slots=True)
class Customers:
    """Parallel arrays, one row a customer; card k of customer c is ``c * 2 + k``."""

    city: Ints
    country: Ints
    lat: Floats
    lon: Floats
    spending: Floats  # multiplies prices
    taste: Floats  # customers x categories, multiplies prices
    activity: Floats  # relative frequency of paying
    weekend: Floats  # multiplies the activity on Saturday and Sunday
    profile: Ints  # of the hours of the day
    remote_share: Floats
    travel: Floats  # probability of a trip in a week
    devices: Ints
    device_life: Ints  # days until a device is replaced
    wallet: Bools  # pays contactless with a telephone
    ip_home: Ints
    ip_mobile: Ints
    local_favourites: Ints
    remote_favourites: Ints
    cards: Ints
    issuer: Ints  # by card
    last_four: Ints  # by card

    def __len__(self) -> int:
        return len(self.city)


def customers_of(settings: SimulationSettings, merchants: Merchants) -> Customers:
    rng = stream(settings.seed, "customers")
    count = settings.customers
    towns = CITIES[: merchants.cities]
    weight = np.array([town.weight for town in towns])
    city = rng.choice(len(towns), size=count, p=weight / weight.sum()).astype(np.int64)
    country = np.array([COUNTRIES.index(town.country) for town in towns])[city]
    cards = 1 + (rng.random(count) < 0.3).astype(np.int64)
    slots = count * CARDS_PER_CUSTOMER
    return Customers(
        city=city,
        country=country,
        lat=_near(rng, np.array([town.lat for town in towns])[city]),
        lon=_near(rng, np.array([town.lon for town in towns])[city]),
        spending=np.exp(rng.normal(0.0, 0.45, count)),
        taste=np.exp(rng.normal(0.0, 0.3, (count, len(CATEGORIES)))),
        activity=rng.gamma(1.6, 1.0, count) + 0.05,
        weekend=np.exp(rng.normal(0.0, 0.4, count)),
        profile=rng.integers(PROFILES, size=count),
        remote_share=rng.beta(1.6, 3.6, count),
        travel=rng.beta(0.7, 14.0, count),
        devices=rng.choice(np.array([1, 2, 3]), size=count, p=[0.5, 0.35, 0.15]),
        device_life=rng.integers(200, 900, size=count),
        wallet=rng.random(count) < 0.4,
        ip_home=home_ip(country, rng.integers(1 << 20, size=count)),
        ip_mobile=mobile_ip(country, rng.integers(1 << 12, size=count)),
        local_favourites=_local_favourites(rng, merchants, city),
        remote_favourites=merchants.popular_remote(rng, count * REMOTE_FAVOURITES).reshape(
            count, REMOTE_FAVOURITES
        ),
        cards=cards,
        issuer=np.repeat(country, CARDS_PER_CUSTOMER) * ISSUERS_PER_COUNTRY
        + rng.choice(ISSUERS_PER_COUNTRY, size=slots, p=[0.5, 0.3, 0.2]),
        last_four=rng.integers(10_000, size=slots),
    )


def issuer_name(issuer: int) -> str:
    return f"bank-{COUNTRIES[issuer // ISSUERS_PER_COUNTRY].lower()}-{issuer % 3 + 1}"


def issuer_bin(issuer: int) -> str:
    """Six digits that begin as Visa's and Mastercard's do."""
    return f"{(453_100, 520_300, 418_700)[issuer % 3] + 7 * (issuer // ISSUERS_PER_COUNTRY)}"


def _near(rng: np.random.Generator, degrees: Floats) -> Floats:
    return np.round(degrees + rng.normal(0.0, 0.08, len(degrees)), 5)


def _local_favourites(rng: np.random.Generator, merchants: Merchants, city: Ints) -> Ints:
    wanted = np.repeat(city, LOCAL_FAVOURITES)
    return merchants.popular_in(rng, wanted).reshape(len(city), LOCAL_FAVOURITES)
