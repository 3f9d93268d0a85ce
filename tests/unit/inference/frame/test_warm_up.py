"""What is left out of a training because windows were not yet full."""

from dataclasses import replace

import numpy as np
import pytest

from domain.times import DAY
from inference.frame.frame import WARM_UP, after_warm_up
from tests.builders.training_frames import synthetic


@pytest.mark.parametrize(("frauds_a_day", "left_out"), [(20, False), (40, True)])
def test_the_first_fortnight_is_left_out_where_enough_frauds_remain(
    frauds_a_day: int, left_out: bool
) -> None:
    days, each = 80, 100
    times = np.repeat(np.arange(days), each) * DAY
    labels = np.tile(np.arange(each) < frauds_a_day, days).astype(np.float64)
    frame = replace(synthetic(days * each), times=times, labels=labels)
    assert (int(after_warm_up(frame).times.min()) == WARM_UP) == left_out
