"""Seeds of mixed troubles: as many as of all named schedules together (test_named_schedules)."""

import pytest

from faults.schedules.mixed import MIXED
from faults.simulate import run_named

_AT_ONCE = 25


@pytest.mark.parametrize("first", range(1, 601, _AT_ONCE))
def test_mixed_troubles_leave_nothing_lost_doubled_or_wrong(first: int) -> None:
    for seed in range(first, first + _AT_ONCE):
        assert run_named(MIXED.name, seed).findings == [], f"--schedule mixed --seed {seed}"
