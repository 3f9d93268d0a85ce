"""Colluding merchant: a small shop that charges a few cards large sums, then vanishes."""

import numpy as np

from domain.times import DAY
from simulator.columns import Columns
from simulator.frauds.kinds import FraudKind
from simulator.frauds.payments import at_terminals, shops
from simulator.population.geography import CASH_NOTE, MINOR_PER_EURO
from simulator.population.world import World

_MOST_DAYS = 4


def _plan(world: World, rng: np.random.Generator, day: int) -> Columns:
    shop = _small_shop(world, rng)
    city = int(world.merchants.city[shop])
    accomplices = world.cards_at_home(rng, (day, day), int(rng.integers(5, 13)), city)
    count = int(rng.integers(15, 36))
    length = int(rng.integers(1, _MOST_DAYS + 1)) * DAY
    timestamp = world.settings.day_start(day) + np.sort(rng.integers(length, size=count))
    euros = np.maximum(world.merchants.euros[shop], 40.0) * rng.uniform(5.0, 15.0, count)
    # Invented sums are round ones.
    country = world.city_country[city]
    note = CASH_NOTE[country] / MINOR_PER_EURO[country]
    euros = np.maximum(np.round(euros / note), 1.0) * note
    cards = rng.choice(accomplices, size=count)
    return at_terminals(world, rng, timestamp, cards, np.full(count, shop), euros)


def _small_shop(world: World, rng: np.random.Generator) -> int:
    """From the less popular half of all shops."""
    candidates = np.flatnonzero(shops(world))
    popularity = world.merchants.popularity[candidates]
    return int(rng.choice(candidates[popularity <= np.median(popularity)]))


COLLUDING_MERCHANT = FraudKind("colluding_merchant", 0.12, 25.0, _MOST_DAYS + 1, _plan)
