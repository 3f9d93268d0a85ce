"""Impossible travel: a copied card pays far away within an hour of its holder at home."""

import numpy as np

from domain.times import MINUTE
from simulator.columns import Columns, concatenated
from simulator.frauds.kinds import FraudKind
from simulator.frauds.payments import HONEST, at_terminals, moment
from simulator.population.geography import distance_km
from simulator.population.world import World

FAR_KM = 1_500.0


def _plan(world: World, rng: np.random.Generator, day: int) -> Columns:
    card = world.cards_at_home(rng, (day, day), 1)
    home = int(world.customers.city[card[0] // 2])
    local = world.merchants.popular_in(rng, np.array([home]))
    seen = np.array([moment(world, rng, day, home, 9, 21)])
    euros = world.merchants.euros[local] * world.customers.spending[card // 2]
    holder = at_terminals(world, rng, seen, card, local, euros, HONEST)
    count = int(rng.integers(1, 4))
    away = np.full(count, _far_city(world, rng, home))
    timestamp = holder.timestamp[0] + np.sort(rng.integers(8 * MINUTE, 55 * MINUTE, size=count))
    copy = at_terminals(
        world,
        rng,
        timestamp,
        np.repeat(card, count),
        world.merchants.popular_in(rng, away),
        rng.uniform(50.0, 600.0, count),
    )
    return concatenated([holder, copy])


def _far_city(world: World, rng: np.random.Generator, home: int) -> int:
    km = distance_km(world.city_lat, world.city_lon, world.city_lat[home], world.city_lon[home])
    far = np.flatnonzero(km > FAR_KM)
    return int(rng.choice(far)) if len(far) else int(np.argmax(km))


IMPOSSIBLE_TRAVEL = FraudKind("impossible_travel", 0.08, 2.0, 2, _plan)
