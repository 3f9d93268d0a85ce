"""Ceiling of a file: which frauds could be foreseen, while labels come a week late."""

import numpy as np
import pytest

from bench.ceiling import foreseeable
from domain.times import DAY

CARDS = np.array([1, 1, 1, 2, 2, 3, 3])
MERCHANTS = np.array([7, 8, 9, 7, 8, 9, 9])
DAYS = np.array([0, 10, 40, 6, 7, 40, 41])
AMOUNTS = np.array([10.0, 10.0, 10.0, 10.0, 10.0, 300.0, 300.0])
FRAUD = np.array([True, True, True, True, True, False, True])


def found(**chosen: float) -> list[bool]:
    settings = {"large": 1e9, "times_mean": 1e9, "merchant_days": 0, "card_days": 0}
    given = foreseeable(
        CARDS, MERCHANTS, DAYS * DAY, AMOUNTS, FRAUD, **{**settings, **chosen}  # type: ignore[arg-type]
    )  # fmt: skip
    return list(given)


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({}, []),
        # A genuine payment is none, however large.
        ({"large": 200}, [6]),
        ({"times_mean": 0.9}, [6]),
        # Ten days after the first of its card, and forty: by then it is over.
        ({"card_days": 14}, [1]),
        ({"card_days": 30}, [1, 2]),
        # The merchant's fraud was not known six days after it.
        ({"merchant_days": 28}, []),
        ({"merchant_days": 1000}, []),
    ],
)
def test_what_could_be_foreseen(chosen: dict[str, float], expected: list[int]) -> None:
    assert np.flatnonzero(found(**chosen)).tolist() == expected


def test_a_label_is_known_after_a_week_and_not_before() -> None:
    days = np.array([0, 6, 7])
    one = np.ones(3, dtype=np.int64)
    fraud = np.array([True, True, True])
    given = foreseeable(one, one, days * DAY, np.zeros(3), fraud, 1e9, 1e9, 28, 0)
    assert given.tolist() == [False, False, True]
