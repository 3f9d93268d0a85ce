"""Half of the thousand seeds that every change is tested by: mixed troubles."""

import pytest

from faults.schedules.mixed import MIXED
from faults.simulate import run_named

SEEDS, _AT_ONCE = 500, 20


@pytest.mark.parametrize("first", range(1, SEEDS + 1, _AT_ONCE))
def test_mixed_troubles_leave_nothing_lost_doubled_or_wrong(first: int) -> None:
    for seed in range(first, first + _AT_ONCE):
        assert run_named(MIXED.name, seed).findings == [], f"--schedule mixed --seed {seed}"
