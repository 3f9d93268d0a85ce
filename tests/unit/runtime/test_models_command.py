"""What `retrace models` takes from the command line."""

from __future__ import annotations

import pytest

from domain.errors import InvalidInputError
from runtime.cli.models import basis_points


@pytest.mark.parametrize(
    ("said", "points"), [("5%", 500), ("0.01%", 1), ("12.5 %", 1_250), ("100", 10_000)]
)
def test_a_share_is_said_in_percent(said: str, points: int) -> None:
    assert basis_points(said) == points


@pytest.mark.parametrize("said", ["", "0%", "-1%", "100.01%", "0.005%", "half", "nan", "Infinity"])
def test_what_is_no_share_is_refused(said: str) -> None:
    with pytest.raises(InvalidInputError, match="--share"):
        basis_points(said)
