"""Ruling over columns: what the rules of a set make of many transactions at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.events import Thresholds
from domain.policy.rollout import WHOLE
from domain.policy.rules.ruling import RuleSet, acts, least_of
from projections.replay.rules import Bools

Ints = NDArray[np.int64]
Outcomes = NDArray[np.int8]
"""Severities: 0 approve, 1 review, 2 step-up, 3 decline."""


@dataclass(frozen=True, slots=True)
class Rulings:
    """Arrays [rows]: `points` in hundredths, `least` severities; `fired` has rows by rule number.

    Equal to `domain.policy.rules.ruling.ruling` of each row.
    """

    points: Ints
    approves: Bools
    least: Outcomes
    fired: tuple[Ints, ...]

    def adjusted(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Scores after the points of rules, in [0, 1]; those that no rule touches keep bits."""
        moved = np.minimum(np.maximum(scores + self.points / 100, 0.0), 1.0)
        return np.where(self.points == 0, scores, moved)

    def outcomes(self, scores: NDArray[np.float64], thresholds: Thresholds) -> Outcomes:
        """Of scores before adjustments."""
        by_score = outcomes_of(self.adjusted(scores), thresholds)
        by_score[self.approves] = 0
        return np.maximum(by_score, self.least)


def outcomes_of(scores: NDArray[np.float64], thresholds: Thresholds) -> Outcomes:
    """The severest outcome whose threshold each score reaches."""
    reached = np.zeros(len(scores), dtype=np.int8)
    for least in (thresholds.review, thresholds.step_up, thresholds.decline):
        reached += scores >= least
    return reached


def rulings(rule_set: RuleSet | None, holds: Sequence[Bools], ids: NDArray[np.object_]) -> Rulings:
    """`holds` [rules][rows] are the conditions that hold; without rules nothing does."""
    points = np.zeros(len(ids), dtype=np.int64)
    approves = np.zeros(len(ids), dtype=bool)
    least = np.zeros(len(ids), dtype=np.int8)
    fired: list[Ints] = []
    for rule, holding in zip(rule_set.rules if rule_set else (), holds, strict=True):
        rows = np.flatnonzero(holding)
        if rule.shadow:
            rows = rows[:0]
        elif rule.share < WHOLE:
            taken = [acts(rule, name) for name in ids[rows].tolist()]
            rows = rows[np.array(taken, dtype=bool)]
        points[rows] += rule.points
        approves[rows] |= rule.action == "approve"
        least[rows] = np.maximum(least[rows], least_of(rule))
        fired.append(rows)
    return Rulings(points, approves, least, tuple(fired))


def joined(parts: Sequence[Rulings]) -> Rulings:
    """Of rows that follow each other, at least one part."""
    begins = np.cumsum([0, *(len(each.points) for each in parts)]).tolist()
    fired = zip(*(each.fired for each in parts), strict=True)
    return Rulings(
        np.concatenate([each.points for each in parts]),
        np.concatenate([each.approves for each in parts]),
        np.concatenate([each.least for each in parts]),
        tuple(
            np.concatenate([rows + begin for rows, begin in zip(of_rule, begins, strict=False)])
            for of_rule in fired
        ),
    )
