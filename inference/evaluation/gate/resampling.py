"""Bayesian bootstrap over cards: by how much measures of labelled payments differ by chance.

Each card weighs a draw of the exponential distribution (Rubin 1981, "The Bayesian Bootstrap"): all
its payments get the same, for they resemble each other, and no resample is without frauds. Models
that are measured together are measured on the same draws, so that their difference has an interval
of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, vstack

from domain.times import DAY
from inference.frame.frame import Floats, Frame, Ints

RESAMPLES = 200
_SEED = 15
_AT_ONCE = 50  # resamples in memory
_TAILS = (0.025, 0.975)


@dataclass(frozen=True, slots=True)
class Interval:
    """A measure, and its 95 % interval."""

    value: float
    low: float
    high: float


def interval(measured: Floats) -> Interval:
    """Of a measure of the payments themselves and of each resample, in this order."""
    low, high = np.quantile(measured[1:], _TAILS)
    return Interval(float(measured[0]), float(low), float(high))


@dataclass(frozen=True, slots=True)
class Sums:
    """What a measure is made of: payment r adds `values[r]` to the sum `places[r]` of `count`.

    Payments whose place is `count` or more add nothing.
    """

    places: Ints
    values: Floats
    count: int = 1


def total(values: Floats) -> Sums:
    return Sums(np.zeros(len(values), dtype=np.int64), values)


def units_of(frame: Frame) -> Ints:
    """Per payment the number of its card (or customer), of its own where none is named; of its day
    where payments are not known."""
    about = frame.payments
    if about is None:
        return _numbered(frame.times // DAY)
    units = _numbered(about.holders)
    alone = about.holders == 0
    units[alone] = len(frame) + np.arange(int(alone.sum()))
    return _numbered(units)


def resampled(units: Ints, sums: Sequence[Sums]) -> list[Floats]:
    """Each [count, 1 + RESAMPLES]: of the payments themselves, then of each resample.

    Deterministic. With 200,000 payments it takes some seconds.
    """
    width = int(units.max()) + 1
    parts = [_by_unit(each, units, width) for each in sums]
    stacked = vstack(parts, format="csr")
    random = np.random.default_rng(_SEED)
    drawn = [
        stacked @ random.standard_exponential((width, _AT_ONCE))
        for _ in range(RESAMPLES // _AT_ONCE)
    ]
    ends = np.cumsum([each.count for each in sums])[:-1]
    return np.split(np.concatenate([stacked @ np.ones((width, 1)), *drawn], axis=1), ends)


def _by_unit(sums: Sums, units: Ints, width: int) -> csr_array:
    used = (sums.places < sums.count) & (sums.values != 0)
    where = (sums.places[used], units[used])
    return csr_array((sums.values[used], where), shape=(sums.count, width))


def _numbered(keys: Ints) -> Ints:
    numbers: Ints = np.unique(keys, return_inverse=True)[1].astype(np.int64)
    return numbers
