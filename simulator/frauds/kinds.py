"""A kind of fraud: its share, the size of its campaigns and their plan."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from simulator.columns import Columns
from simulator.population.world import World

Plan = Callable[[World, np.random.Generator, int], Columns]


@dataclass(frozen=True, slots=True)
class FraudKind:
    """``plan(world, rng, day)`` gives one campaign that begins on that day.

    A campaign is a function of its arguments alone. Its rows of kind 1 are the fraud; rows of kind
    0 are honest payments that belong to the story. No row lies before the day, and none
    ``horizon_days`` or more after its start.
    """

    name: str
    share: float  # of all fraudulent transactions
    mean_frauds: float  # fraudulent transactions in a campaign
    horizon_days: int
    plan: Plan
