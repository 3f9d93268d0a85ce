"""Compromised terminal: cards skimmed at one shop, used there and elsewhere days later."""

import numpy as np

from domain.times import DAY, MINUTE
from simulator.columns import Columns, Ints, concatenated
from simulator.frauds.kinds import FraudKind
from simulator.frauds.payments import HONEST, at_terminals, moment, other_city, shops
from simulator.population.world import World

_SKIM_DAYS = 2
_HORIZON_DAYS = 11


def _plan(world: World, rng: np.random.Generator, day: int) -> Columns:
    terminal = int(rng.choice(np.flatnonzero(shops(world))))
    city = int(world.merchants.city[terminal])
    skimmed = (day, day + _SKIM_DAYS - 1)
    card = world.cards_at_home(rng, skimmed, int(rng.integers(8, 21)), city)
    visits = _visits(world, rng, day, terminal, card)
    return concatenated(
        [
            visits,
            _run_at_terminal(world, rng, day, terminal, card),
            _uses_elsewhere(world, rng, day, city, card),
        ]
    )


def _visits(world: World, rng: np.random.Generator, day: int, terminal: int, card: Ints) -> Columns:
    """Honest payments of the victims, at which their cards are copied."""
    days = day + rng.integers(_SKIM_DAYS, size=len(card))
    timestamp = np.array([_in_opening_hours(world, rng, int(on), terminal) for on in days])
    merchant = np.full(len(card), terminal)
    euros = world.merchants.euros[terminal] * np.exp(rng.normal(0.0, 0.5, len(card)))
    return at_terminals(world, rng, timestamp, card, merchant, euros, HONEST)


def _run_at_terminal(
    world: World, rng: np.random.Generator, day: int, terminal: int, card: Ints
) -> Columns:
    """A run of frauds at the terminal itself, the day after the skimming."""
    count = int(rng.integers(3, 8))
    start = _in_opening_hours(world, rng, day + _SKIM_DAYS, terminal)
    timestamp = start + np.cumsum(rng.integers(1 * MINUTE, 12 * MINUTE, size=count))
    euros = world.merchants.euros[terminal] * rng.uniform(1.5, 4.0, count)
    return at_terminals(
        world, rng, timestamp, rng.choice(card, size=count), np.full(count, terminal), euros
    )


def _uses_elsewhere(
    world: World, rng: np.random.Generator, day: int, city: int, card: Ints
) -> Columns:
    """Each copy is used one to three times in another city, 3-10 days after the first day."""
    uses = np.repeat(np.arange(len(card)), rng.integers(1, 4, size=len(card)))
    towns = np.array([other_city(world, rng, city) for _ in card])
    start = np.array(
        [moment(world, rng, day + int(rng.integers(3, 10)), int(town), 8, 22) for town in towns]
    )
    timestamp = start[uses] + rng.integers(90 * MINUTE, size=len(uses))
    merchant = world.merchants.popular_in(rng, towns[uses])
    euros = rng.uniform(60.0, 420.0, len(uses))
    return at_terminals(world, rng, timestamp, card[uses], merchant, euros)


def _in_opening_hours(world: World, rng: np.random.Generator, day: int, terminal: int) -> int:
    opens = float(world.merchants.opens[terminal])
    closes = float(world.merchants.closes[terminal])
    city = int(world.merchants.city[terminal])
    at = moment(world, rng, day, city, opens, closes)
    return min(at, world.settings.day_start(day) + DAY - 1)


COMPROMISED_TERMINAL = FraudKind("compromised_terminal", 0.20, 33.0, _HORIZON_DAYS, _plan)
