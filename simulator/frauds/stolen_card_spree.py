"""Stolen-card spree: one card, in one or two hours, for ever larger amounts."""

import numpy as np

from domain.times import MINUTE
from simulator.columns import Columns, Ints, concatenated
from simulator.frauds.kinds import FraudKind
from simulator.frauds.payments import at_terminals, moment, online, shops, web_merchants
from simulator.population.world import World


def _plan(world: World, rng: np.random.Generator, day: int) -> Columns:
    card = world.cards_at_home(rng, (day, day), 1)
    city = int(world.customers.city[card[0] // 2])
    count = int(rng.integers(4, 11))
    steps = rng.integers(3 * MINUTE, 15 * MINUTE, size=count)
    timestamp = moment(world, rng, day, city, 9, 22) + np.cumsum(steps)
    euros = rng.uniform(15.0, 50.0) * np.cumprod(rng.uniform(1.25, 1.7, count))
    euros = np.minimum(euros, 2_500.0)
    # The thief ends on the web one time in three.
    remote = int(count * rng.uniform(0.3, 0.6)) if rng.random() < 0.33 else 0
    spot = count - remote
    cards = np.repeat(card, count)
    present = at_terminals(
        world, rng, timestamp[:spot], cards[:spot], _shops_of(world, rng, city, spot), euros[:spot]
    )
    device = np.repeat(world.fraud_devices(rng, 1), remote)
    shop = web_merchants(world, rng, remote)
    absent = online(world, rng, timestamp[spot:], cards[spot:], shop, euros[spot:], device, city)
    return concatenated([present, absent])


def _shops_of(world: World, rng: np.random.Generator, city: int, count: int) -> Ints:
    drawn = world.merchants.popular_in(rng, np.full(count, city))
    local = np.flatnonzero(shops(world) & (world.merchants.city == city))
    return drawn if len(local) == 0 else np.where(shops(world)[drawn], drawn, rng.choice(local))


STOLEN_CARD_SPREE = FraudKind("stolen_card_spree", 0.20, 7.0, 2, _plan)
