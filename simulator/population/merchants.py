"""Merchants: what they sell, where, when, and how popular they are."""

from dataclasses import dataclass

import numpy as np

from simulator.columns import ATM, ECOM, MOTO, POS, Bools, Floats, Ints
from simulator.population.categories import CATEGORIES
from simulator.population.geography import CITIES, COUNTRIES
from simulator.settings import SimulationSettings
from simulator.streams import stream

_REMOTE_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class Merchants:
    """Parallel arrays. Those on the spot come first, sorted by city; then the remote ones."""

    category: Ints
    channel: Ints  # POS, ATM, ECOM or MOTO
    city: Ints
    lat: Floats
    lon: Floats
    euros: Floats  # the median payment
    opens: Ints
    closes: Ints
    popularity: Floats  # sums to 1 within each city, and over the remote ones
    cumulated: Floats
    city_bounds: Ints  # the merchants on the spot of city k: [bounds[k], bounds[k + 1])

    def __len__(self) -> int:
        return len(self.category)

    @property
    def cities(self) -> int:
        return len(self.city_bounds) - 1

    @property
    def on_the_spot(self) -> int:
        """How many are on the spot, which is also the index of the first remote one."""
        return int(self.city_bounds[-1])

    @property
    def remote(self) -> Bools:
        return np.arange(len(self)) >= self.on_the_spot

    def popular_in(self, rng: np.random.Generator, city: Ints) -> Ints:
        """One merchant on the spot for each city asked for, by popularity."""
        return self._drawn(rng, self.city_bounds[city], self.city_bounds[city + 1])

    def popular_remote(self, rng: np.random.Generator, count: int) -> Ints:
        first = np.full(count, self.on_the_spot, dtype=np.int64)
        return self._drawn(rng, first, np.full(count, len(self), dtype=np.int64))

    def _drawn(self, rng: np.random.Generator, first: Ints, after: Ints) -> Ints:
        below = np.where(first > 0, self.cumulated[first - 1], 0.0)
        wanted = below + rng.random(len(first)) * (self.cumulated[after - 1] - below)
        found = np.searchsorted(self.cumulated, wanted, side="right")
        return np.asarray(np.clip(found, first, after - 1))


def merchants_of(settings: SimulationSettings) -> Merchants:
    rng = stream(settings.seed, "merchants")
    remote = max(2, round(settings.merchants * _REMOTE_SHARE))
    spot = settings.merchants - remote
    cities = min(len(CITIES), max(2, spot // 4))
    city = _cities_of(rng, spot, remote, cities)
    is_remote = np.arange(settings.merchants) >= spot
    category = _categories_of(rng, is_remote)
    weights = _zipf(rng, category, city, is_remote)
    cumulated = np.cumsum(weights)
    towns = CITIES[:cities]
    lat = np.array([town.lat for town in towns])[city] + rng.normal(0, 0.04, len(city))
    lon = np.array([town.lon for town in towns])[city] + rng.normal(0, 0.04, len(city))
    prices = np.array([entry.euros for entry in CATEGORIES])[category]
    return Merchants(
        category=category,
        channel=_channels_of(category, is_remote),
        city=city,
        lat=np.round(lat, 5),
        lon=np.round(lon, 5),
        euros=prices * np.exp(rng.normal(0.0, 0.25, len(category))),
        opens=np.where(is_remote, 0, np.array([e.opens for e in CATEGORIES])[category]),
        closes=np.where(is_remote, 24, np.array([e.closes for e in CATEGORIES])[category]),
        popularity=weights,
        cumulated=cumulated,
        city_bounds=np.searchsorted(city[:spot], np.arange(cities + 1)).astype(np.int64),
    )


def _cities_of(rng: np.random.Generator, spot: int, remote: int, cities: int) -> Ints:
    """Every city has some merchants on the spot, larger ones more; these are sorted by city."""
    weight = np.array([city.weight for city in CITIES[:cities]])
    drawn = rng.choice(cities, size=spot + remote, p=weight / weight.sum()).astype(np.int64)
    drawn[: 2 * cities] = np.arange(2 * cities) % cities
    return np.concatenate([np.sort(drawn[:spot]), drawn[spot:]])


def _categories_of(rng: np.random.Generator, is_remote: Bools) -> Ints:
    chosen = np.empty(len(is_remote), dtype=np.int64)
    for modes, rows in (
        (("pos", "both", "atm"), ~is_remote),
        (("ecom", "both", "moto"), is_remote),
    ):
        weight = np.array([entry.weight if entry.mode in modes else 0.0 for entry in CATEGORIES])
        chosen[rows] = rng.choice(len(weight), size=int(rows.sum()), p=weight / weight.sum())
    # A shop of the first city and the first remote merchant are always ordinary ones.
    codes = [entry.mcc for entry in CATEGORIES]
    chosen[0] = codes.index("5411")
    chosen[np.argmax(is_remote)] = codes.index("5399")
    return chosen


def _channels_of(category: Ints, is_remote: Bools) -> Ints:
    modes = np.array([entry.mode for entry in CATEGORIES])[category]
    remote = np.where(modes == "moto", MOTO, ECOM)
    return np.where(is_remote, remote, np.where(modes == "atm", ATM, POS)).astype(np.int64)


def _zipf(rng: np.random.Generator, category: Ints, city: Ints, is_remote: Bools) -> Floats:
    """Popularity falls with a merchant's rank within its pool, as 1 / (rank + 2)."""
    visits = np.array([entry.weight for entry in CATEGORIES])
    weights = np.empty(len(category))
    pools = np.where(is_remote, len(COUNTRIES) + len(CITIES), city)
    for pool in np.unique(pools):
        rows = np.flatnonzero(pools == pool)
        raw = 1.0 / (rng.permutation(len(rows)) + 2.0) * np.sqrt(visits[category[rows]])
        weights[rows] = raw / raw.sum()
    return weights
