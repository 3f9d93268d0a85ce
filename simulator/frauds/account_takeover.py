"""Account takeover: a new device at a foreign address buys large in the victim's name."""

import numpy as np

from domain.times import HOUR
from simulator.columns import Columns
from simulator.frauds.kinds import FraudKind
from simulator.frauds.payments import moment, online, web_merchants
from simulator.population.world import World


def _plan(world: World, rng: np.random.Generator, day: int) -> Columns:
    victim = int(rng.integers(len(world.customers)))
    home = int(world.customers.country[victim])
    abroad = np.flatnonzero(world.city_country != home)
    city = int(rng.choice(abroad))
    count = int(rng.integers(3, 8))
    hours = rng.uniform(0.3, 8.0)
    timestamp = moment(world, rng, day, city, 0, 24) + np.sort(
        rng.integers(int(hours * HOUR), size=count)
    )
    euros = world.customers.spending[victim] * rng.uniform(120.0, 700.0, count)
    return online(
        world,
        rng,
        timestamp,
        world.some_card(rng, np.full(count, victim)),
        web_merchants(world, rng, count),
        euros,
        np.repeat(world.fraud_devices(rng, 1), count),
        city,
    )


ACCOUNT_TAKEOVER = FraudKind("account_takeover", 0.20, 5.0, 2, _plan)
