"""Floor of features: what plain Polars says of a small file, counted by hand."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from bench.policy.floor import windows
from domain.features import CATALOGUE

BEGAN = datetime(2018, 4, 1, tzinfo=UTC)
COLUMNS = {name: name for name in ("timestamp", "amount", "customer_id", "merchant_id")}


def test_windows_hold_what_came_before_and_have_the_names_of_the_catalogue() -> None:
    hours = [0, 1, 2, 30, 900]
    frame = pl.DataFrame(
        {
            "timestamp": [BEGAN + timedelta(hours=each) for each in hours],
            "amount": [10.0, 20.0, 60.0, 30.0, 5.0],
            "customer_id": ["a", "a", "b", "a", "a"],
            "merchant_id": ["m", "n", "m", "m", "m"],
        }
    )
    found = windows(frame, COLUMNS)
    assert set(found.columns) <= set(CATALOGUE.names)
    assert not any(name.startswith("card_") for name in found.columns)
    assert found["payer_count_1d"].to_list() == [0, 1, 0, 0, 0]
    assert found["payer_amount_sum_7d"].to_list() == [0, 10, 0, 30, 0]
    assert found["payer_amount_mean_30d"].to_list()[1::2] == [10, 15]
    assert found["merchant_count_30d"].to_list() == [0, 0, 1, 2, 0]
    assert found["payer_merchant_count_90d"].to_list() == [0, 0, 0, 1, 2]
    assert found["payer_hours_since_last"].to_list() == [None, 1, None, 29, None]
    assert found["payer_amount_to_median_90d"].to_list()[1:4:2] == [2, pytest.approx(1.5, 1)]
