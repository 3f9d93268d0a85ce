"""Owns the choice of thresholds from what people can review; outcomes are domain.policy's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from domain.errors import InvalidInputError
from domain.events import Thresholds
from domain.policy import validated
from inference.training.frame import Floats


@dataclass(frozen=True, slots=True)
class Budget:
    """Shares of all traffic that may be declined, stepped up and reviewed."""

    decline: float = 0.005
    step_up: float = 0.001
    review: float = 0.014

    def __post_init__(self) -> None:
        shares = (self.decline, self.step_up, self.review)
        if min(shares) < 0 or sum(shares) > 1:
            raise InvalidInputError(
                "budget", f"shares must not be negative, nor more than 1 together: {shares}"
            )


def thresholds_for(scores: Floats, budget: Budget) -> Thresholds:
    """Least scores that keep each share of `scores` within the budget, ties on the milder side."""
    ordered = np.sort(scores)
    decline = _least(ordered, budget.decline)
    step_up = _least(ordered, budget.decline + budget.step_up)
    review = _least(ordered, budget.decline + budget.step_up + budget.review)
    return validated(Thresholds(review=review, step_up=step_up, decline=decline))


def _least(ordered: Floats, share: float) -> float:
    """A score that at most that share of `ordered` (ascending) reaches, or 1 where none fits."""
    allowed = int(len(ordered) * share + 1e-9)
    if allowed == len(ordered):
        return 0.0
    left_out = ordered[len(ordered) - allowed - 1]
    above = ordered[np.searchsorted(ordered, left_out, side="right") :]
    return float(above[0]) if len(above) else 1.0
