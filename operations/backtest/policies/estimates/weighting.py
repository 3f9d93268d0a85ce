"""Weighting: totals and ratios over all payments, from those that were let pass by known chances.

A payment that was let pass with chance p stands for 1/p such payments.

- Total: the sum of y/p over what passed (Horvitz and Thompson 1952).
- Self-normalised total: the sum of y over what was sure to pass, and for the others their number
  times the weighted mean of y (Hajek 1971). A ratio is the quotient of two weighted sums.
- Variance: the sum over cards of the square of a card's terms, and for a quotient of its linearised
  terms (Taylor linearisation, as in Korn and Graubard 1998).
- Interval of a total that is never negative: of a gamma distribution with that mean and variance,
  half of the greatest term added to it above (Fay and Feuer 1997). Any other is normal.

Payments of one card are not independent, and which payments came at all is by chance: so a card
counts as a whole, and the number of cards as Poisson, as in the bootstrap of a backtest.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

LEVEL = 0.95
_LOW, _HIGH = (1 - LEVEL) / 2, (1 + LEVEL) / 2


@dataclass(frozen=True, slots=True)
class Estimate:
    """`value` with its variance and interval; None where nothing is there to estimate it from."""

    value: float
    variance: float
    interval: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Sample:
    """Payments that the live policy could have let pass, all [payments].

    `chances` are in (0, 1], `passed` what did pass, `cards` the number of each one's card.
    """

    chances: Floats
    passed: Bools
    cards: Ints

    @property
    def weights(self) -> Floats:
        """1/p of what passed, 0 of what did not: its label is not known."""
        return np.where(self.passed, 1.0 / self.chances, 0.0)

    @property
    def unsure(self) -> Bools:
        """Those that passed, or did not, by chance."""
        return self.chances < 1.0


def total(sample: Sample, values: Floats, possible: Floats) -> Estimate:
    """Of `values` [payments], which are asked for where the payment passed alone.

    `possible` are the values that the labels could have made of them.
    """
    by_card = _by_card(sample, sample.weights * values)
    return _of_total(float(by_card.sum()), by_card, values, _unseen(sample, values, possible))


def self_normalised_total(sample: Sample, values: Floats, possible: Floats) -> Estimate:
    """As `total`, by the known number of payments whose passing was left to chance.

    Of less variance where `values` hang little on the weights; biased by no more than it wins.
    """
    weights, unsure = sample.weights, sample.unsure
    drawn = float(weights[unsure].sum())
    if not drawn:
        return total(sample, values, possible)
    mean = float((weights * values)[unsure].sum()) / drawn
    number = float(unsure.sum())
    sure = np.where(unsure, 0.0, values * sample.passed)
    off = np.where(unsure, mean + number / drawn * weights * (values - mean), 0.0)
    by_card = _by_card(sample, sure + off)
    value = float(sure.sum()) + number * mean
    return _of_total(value, by_card, values, _unseen(sample, values, possible))


def ratio(sample: Sample, part: Floats, whole: Floats) -> Estimate | None:
    """Of two totals, the part at most the whole; within 0 and 1."""
    weights = sample.weights
    below = float((weights * whole).sum())
    if not below:
        return None
    value = float((weights * part).sum()) / below
    by_card = _by_card(sample, weights * (part - value * whole)) / below
    low, high = _normal(value, float(by_card @ by_card))
    return Estimate(value, float(by_card @ by_card), (max(low, 0.0), min(high, 1.0)))


def _by_card(sample: Sample, terms: Floats) -> Floats:
    return np.asarray(np.bincount(sample.cards, weights=terms), dtype=np.float64)


def _unseen(sample: Sample, values: Floats, possible: Floats) -> float:
    """The greatest term that chance may have kept from us: where no draw had a value, it is that
    of one which could have had."""
    drawn = sample.unsure & sample.passed
    if values[drawn].any():
        return 0.0
    return float((sample.weights * possible)[drawn].max(initial=0.0))


def _of_total(value: float, by_card: Floats, values: Floats, unseen: float) -> Estimate:
    variance = float(by_card @ by_card)
    if (values < 0).any():
        return Estimate(value, variance, _normal(value, variance))
    greatest = max(float(by_card.max(initial=0.0)), unseen)
    return Estimate(value, variance, _gamma(value, variance, greatest))


def _normal(value: float, variance: float) -> tuple[float, float]:
    reach = NormalDist().inv_cdf(_HIGH) * sqrt(variance)
    return value - reach, value + reach


def _gamma(value: float, variance: float, greatest: float) -> tuple[float, float]:
    """Few great terms make a skewed sum, which a normal interval misses on one side."""
    low = _gamma_quantile(_LOW, value, variance)
    more, wider = value + greatest / 2, variance + greatest * greatest / 2
    return low, _gamma_quantile(_HIGH, more, wider)


def _gamma_quantile(p: float, mean: float, variance: float) -> float:
    """By the cube root's normality (Wilson and Hilferty 1931)."""
    if mean <= 0 or variance <= 0:
        return max(mean, 0.0)
    ninth = variance / (9 * mean * mean)
    return mean * max(1 - ninth + NormalDist().inv_cdf(p) * sqrt(ninth), 0.0) ** 3
