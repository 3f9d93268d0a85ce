"""Trips: where each customer is on each day."""

import numpy as np

from simulator.columns import Bools, Ints
from simulator.population.customers import Customers
from simulator.streams import stream

HOME = -1
IN_TRANSIT = -2
_BLOCK_DAYS = 7
KEPT_BLOCKS = 4
KEPT_DAYS = 4


class Trips:
    """At most one trip a customer and week: a day out, 1-3 days away, a day back.

    Nobody pays on the spot in transit, so that honest travel is never impossible travel.
    """

    def __init__(self, seed: int, customers: Customers, cities: int) -> None:
        self._seed = seed
        self._customers = customers
        self._cities = cities
        self._home: dict[int, Bools] = {}
        self._blocks: dict[int, tuple[Ints, Ints, Ints]] = {}

    def whereabouts(self, day: int) -> Ints:
        """HOME, IN_TRANSIT or the city of stay of every customer."""
        block, position = divmod(day, _BLOCK_DAYS)
        start, back, city = self._block(block)
        away = np.where((position == start) | (position == back), IN_TRANSIT, city)
        return np.where((position >= start) & (position <= back), away, HOME)

    def at_home(self, day: int) -> Bools:
        """Who is at home that day; remembered, since every campaign asks."""
        if day not in self._home:
            while len(self._home) >= KEPT_DAYS:
                del self._home[next(iter(self._home))]
            self._home[day] = self.whereabouts(day) == HOME
        return self._home[day]

    def _block(self, block: int) -> tuple[Ints, Ints, Ints]:
        if block not in self._blocks:
            while len(self._blocks) >= KEPT_BLOCKS:
                del self._blocks[next(iter(self._blocks))]
            self._blocks[block] = self._drawn(block)
        return self._blocks[block]

    def _drawn(self, block: int) -> tuple[Ints, Ints, Ints]:
        rng = stream(self._seed, "trips", block)
        count = len(self._customers)
        leaves = rng.random(count) < self._customers.travel
        start = rng.integers(0, 3, size=count)
        back = start + rng.integers(1, 4, size=count) + 1
        # Any city but the own one.
        other = rng.integers(1, self._cities, size=count)
        city = (self._customers.city + other) % self._cities
        never = np.full(count, _BLOCK_DAYS + 1, dtype=np.int64)
        return np.where(leaves, start, never), np.where(leaves, back, -1), city
