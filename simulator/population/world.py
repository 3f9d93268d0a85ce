"""World: the whole population, a function of the settings."""

import numpy as np

from simulator.columns import CARDS_PER_CUSTOMER, Floats, Ints
from simulator.population.customers import Customers, customers_of
from simulator.population.geography import CITIES, COUNTRIES
from simulator.population.merchants import Merchants, merchants_of
from simulator.population.rhythm import Rhythm
from simulator.population.trips import Trips
from simulator.settings import SimulationSettings

_FRAUD_DEVICE = 1 << 60
_GENERATION = 1 << 34
_DEVICES_PER_CUSTOMER = 3


class World:
    """Customers, merchants, cities and their rhythm; read by traffic and frauds alike."""

    def __init__(self, settings: SimulationSettings) -> None:
        self.settings = settings
        self.merchants: Merchants = merchants_of(settings)
        self.customers: Customers = customers_of(settings, self.merchants)
        self.rhythm = Rhythm(settings.seed)
        self.trips = Trips(settings.seed, self.customers, self.merchants.cities)
        towns = CITIES[: self.merchants.cities]
        self.city_country: Ints = np.array([COUNTRIES.index(town.country) for town in towns])
        self.city_offset: Ints = np.array([town.utc_offset for town in towns])
        self.city_lat: Floats = np.array([town.lat for town in towns])
        self._everyone: Ints = np.arange(settings.customers)
        self._residents = [
            np.flatnonzero(self.customers.city == city) for city in range(len(towns))
        ]
        self.city_lon: Floats = np.array([town.lon for town in towns])

    def own_device(self, customer: Ints, which: Ints, day: int) -> Ints:
        """The device in use that day: people replace theirs every so often."""
        life = self.customers.device_life[customer]
        generation = (day + customer * 37 % life) // life + 1
        return generation * _GENERATION + customer * _DEVICES_PER_CUSTOMER + which

    def fraud_devices(self, rng: np.random.Generator, count: int) -> Ints:
        """Devices that nobody has used before."""
        return _FRAUD_DEVICE + rng.integers(1 << 40, size=count)

    def cards_at_home(
        self, rng: np.random.Generator, days: tuple[int, int], count: int, city: int | None = None
    ) -> Ints:
        """Cards of up to so many customers (of a city), each at home on both days; at least one."""
        # A city of one is no place to find several victims in.
        local = self._everyone if city is None else self._residents[city]
        pool = local if len(local) > 1 else self._everyone
        # More than asked for, since some are away.
        some = rng.choice(pool, size=min(len(pool), 2 * count + 20), replace=False)
        home = self.trips.at_home(days[0])[some] & self.trips.at_home(days[1])[some]
        return self.some_card(rng, (some[home] if home.any() else some)[:count])

    def some_card(self, rng: np.random.Generator, customer: Ints) -> Ints:
        second = (self.customers.cards[customer] > 1) & (rng.random(len(customer)) < 0.3)
        return customer * CARDS_PER_CUSTOMER + second
