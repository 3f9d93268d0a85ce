"""Estimates by inverse propensity weighting: the interval holds the truth at its stated rate."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from operations.backtest.policies.estimates.weighting import (
    LEVEL,
    Estimate,
    Floats,
    Sample,
    ratio,
    self_normalised_total,
    total,
)

CARDS, EACH, SEEDS = 600, 8.0, 400
BAD = 0.15
# By kind of card: the chances of each level of score, from 0.1 to 0.9, and of fraud at each.
LEVELS = np.array([[0.7, 0.15, 0.1, 0.03, 0.02], [0.1, 0.2, 0.2, 0.25, 0.25]])
FRAUD = np.array([[0.001, 0.01, 0.05, 0.2, 0.4], [0.05, 0.2, 0.4, 0.6, 0.8]])
MEAN, DECLINES, CANDIDATE, SHARE = 50.0, 3, 4, 0.1


def truth(flagged_from: int) -> tuple[float, float]:
    """(money of fraud below that level, share of frauds from there on), in expectation."""
    kinds = np.array([1 - BAD, BAD])[:, None]
    frauds = kinds * LEVELS * FRAUD * CARDS * EACH
    return float(frauds[:, :flagged_from].sum() * MEAN), float(
        frauds[:, flagged_from:].sum() / frauds.sum()
    )


@dataclass(frozen=True)
class Drawn:
    """By payment what the candidate misses, could miss and flags of fraud, and the frauds."""

    sample: Sample
    missed: Floats
    possible: Floats
    flagged: Floats
    frauds: Floats


def drawn(seed: int) -> Drawn:
    """Cards differ in kind and in what they spend, so that their payments are alike."""
    draw = np.random.default_rng(seed)
    cards = np.repeat(np.arange(CARDS), draw.poisson(EACH, CARDS))
    kinds = (draw.random(CARDS) < BAD).astype(int)[cards]
    levels = (draw.random(len(cards))[:, None] > LEVELS.cumsum(axis=1)[kinds]).sum(axis=1)
    frauds = (draw.random(len(cards)) < FRAUD[kinds, levels]).astype(np.float64)
    spends = draw.gamma(4.0, MEAN / 4, CARDS)[cards]
    amounts = spends * draw.exponential(1.0, len(cards))
    chances = np.where(levels >= DECLINES, SHARE, 1.0)
    passed = draw.random(len(cards)) < chances
    possible = amounts * (levels < CANDIDATE)
    # What did not pass is never labelled.
    frauds = frauds * passed
    flagged = frauds * (levels >= CANDIDATE)
    return Drawn(Sample(chances, passed, cards), frauds * possible, possible, flagged, frauds)


def holds(found: Sequence[Estimate | None], wanted: float) -> int:
    intervals = [each.interval for each in found if each is not None]
    return sum(low <= wanted <= high for low, high in intervals)


def test_intervals_hold_the_truth_at_their_rate() -> None:
    missed, recall = truth(CANDIDATE)
    samples = [drawn(seed) for seed in range(SEEDS)]
    totals = [total(each.sample, each.missed, each.possible) for each in samples]
    normal = [self_normalised_total(each.sample, each.missed, each.possible) for each in samples]
    recalls = [ratio(each.sample, each.flagged, each.frauds) for each in samples]
    # Three standard deviations of the number of 400 that hold.
    off = 3 * (LEVEL * (1 - LEVEL) * SEEDS) ** 0.5
    for name, held in (
        ("total", holds(totals, missed)),
        ("self-normalised", holds(normal, missed)),
        ("recall", holds(recalls, recall)),
    ):
        assert abs(held - LEVEL * SEEDS) <= off, (name, held)
    for found in (totals, normal):
        values = np.array([each.value for each in found])
        assert abs(values.mean() - missed) < 4 * values.std() / SEEDS**0.5
        assert np.mean([each.variance for each in found]) == pytest.approx(values.var(), rel=0.25)


def test_without_weights_fraud_of_the_declined_is_not_seen() -> None:
    """The figures that a backtest has without exploration are far from the truth."""
    missed, _ = truth(CANDIDATE)
    naive = [float(each.missed.sum()) for each in map(drawn, range(50))]
    assert np.mean(naive) < 0.6 * missed


def test_where_no_draw_was_fraud_the_interval_still_has_what_one_could_be() -> None:
    sample = Sample(np.array([0.1, 0.1, 1.0]), np.array([True, False, True]), np.arange(3))
    nothing, possible = np.zeros(3), np.array([20.0, 50.0, 5.0])
    for made in (total, self_normalised_total):
        found = made(sample, nothing, possible)
        assert (found.value, found.variance, found.interval[0]) == (0.0, 0.0, 0.0)
        # Of Poisson's zero, 3.7 is the limit: half a draw is added, which leaves 2.5.
        assert 2 * 200 < found.interval[1] < 3 * 200


def test_a_ratio_of_nothing_is_unknown() -> None:
    sample = Sample(np.ones(2), np.array([True, True]), np.arange(2))
    assert ratio(sample, np.zeros(2), np.zeros(2)) is None
