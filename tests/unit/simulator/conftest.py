"""Simulations that several tests read; they are made once."""

import pytest

from simulator.day import Day
from simulator.settings import SimulationSettings
from simulator.simulation import Simulation


@pytest.fixture(scope="session")
def simulation() -> Simulation:
    return Simulation(
        SimulationSettings(seed=7, customers=2_000, merchants=400, per_day=5_000, fraud_rate=0.01)
    )


@pytest.fixture(scope="session")
def month(simulation: Simulation) -> list[Day]:
    return list(simulation.days(40))
