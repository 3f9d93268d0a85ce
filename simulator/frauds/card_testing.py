"""Card testing: many stolen numbers tried with tiny amounts at one web shop in minutes."""

import numpy as np

from domain.times import MINUTE
from simulator.columns import Columns
from simulator.frauds.kinds import FraudKind
from simulator.frauds.payments import moment, online, web_merchants
from simulator.population.world import World


def _plan(world: World, rng: np.random.Generator, day: int) -> Columns:
    count = min(int(rng.integers(15, 36)), len(world.customers))
    customer = rng.choice(len(world.customers), size=count, replace=False)
    city = int(rng.integers(len(world.city_country)))
    start = moment(world, rng, day, city, 0, 24)
    minutes = rng.uniform(3.0, 10.0)
    timestamp = start + np.sort(rng.integers(int(minutes * MINUTE), size=count))
    return online(
        world,
        rng,
        timestamp,
        world.some_card(rng, customer),
        np.repeat(web_merchants(world, rng, 1), count),
        rng.uniform(0.5, 2.5, count),
        np.repeat(world.fraud_devices(rng, 1), count),
        city,
    )


CARD_TESTING = FraudKind("card_testing", 0.20, 25.0, 2, _plan)
