"""Owns the last step from exact integers to float64, shared by every engine; reads no state.

Each integer becomes a float once (to the nearest, ties to even); then only + - * / and sqrt, in
the order written here. None is an unknown value.
"""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt

from domain.features.coordinates import Place, chord_km
from domain.features.declarations import Aggregation
from domain.features.request import money
from domain.features.tiles import Totals

OverTotals = Callable[[Totals, int, int], float | None]
"""(totals of the window, time and amount of the transaction) to the value."""

_HOUR_US = 3_600_000_000.0
_LEAST_HOURS = 1.0 / 60.0


def _count(totals: Totals, _time: int, _amount: int) -> float:
    return float(totals.number)


def _sum(totals: Totals, _time: int, _amount: int) -> float:
    return money(totals.sum)


def _mean(totals: Totals, _time: int, _amount: int) -> float | None:
    return money(totals.sum) / float(totals.number) if totals.number else None


def _spread(totals: Totals) -> int:
    """number^2 times the variance, exactly."""
    return totals.number * totals.squares - totals.sum * totals.sum


def _std(totals: Totals, _time: int, _amount: int) -> float | None:
    if totals.number < 2:
        return None
    return sqrt(float(_spread(totals))) / float(totals.number) / 100.0


def _least(totals: Totals, _time: int, _amount: int) -> float | None:
    return money(totals.least) if totals.number else None


def _greatest(totals: Totals, _time: int, _amount: int) -> float | None:
    return money(totals.greatest) if totals.number else None


def _ratio_to_mean(totals: Totals, _time: int, amount: int) -> float | None:
    if not totals.sum:
        return None
    return float(amount) * float(totals.number) / float(totals.sum)


def _ratio_to_max(totals: Totals, _time: int, amount: int) -> float | None:
    return float(amount) / float(totals.greatest) if totals.greatest else None


def _z_score(totals: Totals, _time: int, amount: int) -> float | None:
    spread = _spread(totals)
    if spread == 0:
        return None
    return float(amount * totals.number - totals.sum) / sqrt(float(spread))


def _since_last(totals: Totals, time: int, _amount: int) -> float | None:
    return float(max(time - totals.last, 0)) / _HOUR_US if totals.number else None


OVER_TOTALS: dict[Aggregation, OverTotals] = {
    Aggregation.COUNT: _count,
    Aggregation.SUM: _sum,
    Aggregation.MEAN: _mean,
    Aggregation.STD: _std,
    Aggregation.MIN: _least,
    Aggregation.MAX: _greatest,
    Aggregation.RATIO_TO_MEAN: _ratio_to_mean,
    Aggregation.RATIO_TO_MAX: _ratio_to_max,
    Aggregation.Z_SCORE: _z_score,
    Aggregation.SINCE_LAST: _since_last,
}


def over_place(aggregation: Aggregation, last: tuple[int, Place], time: int, here: Place) -> float:
    """km, or km/h with the time between taken as one minute at least."""
    distance = chord_km(here, last[1])
    if aggregation is Aggregation.DISTANCE:
        return distance
    return distance / max(float(max(time - last[0], 0)) / _HOUR_US, _LEAST_HOURS)


def over_labels(aggregation: Aggregation, count: int, fraud: int) -> float | None:
    if aggregation is Aggregation.LABEL_COUNT:
        return float(count)
    if aggregation is Aggregation.FRAUD_COUNT:
        return float(fraud)
    return float(fraud) / float(count) if count else None
