"""The other half of the thousand seeds: those of each schedule but mixed troubles."""

import pytest

from faults.schedules.mixed import MIXED
from faults.schedules.table import SCHEDULES
from faults.simulate import run_named

NAMED = [name for name in SCHEDULES if name != MIXED.name]
SEEDS = 500 // len(NAMED) + 1


@pytest.mark.parametrize("name", NAMED)
def test_a_schedule_leaves_nothing_lost_doubled_or_wrong(name: str) -> None:
    for seed in range(1, SEEDS + 1):
        assert run_named(name, seed).findings == [], f"--schedule {name} --seed {seed}"
