"""Thresholds of a model, from the shares of traffic that may be reviewed or declined."""

from dataclasses import dataclass

import numpy as np

from domain.errors import InvalidInputError
from domain.events import Thresholds
from domain.policy.thresholds import validated
from inference.frame.frame import Floats


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


def thresholds_for(scores: Floats, stands_for: Floats, budget: Budget) -> Thresholds:
    """What keeps each share of traffic within the budget, ties on the milder side.

    Midway between the scores that reach it and the next ones: the kernel that serves may differ
    from the one that trains in the last bits of a score, which many payments may share.
    `stands_for` is how many transactions each score was sampled from.
    """
    distinct, place = np.unique(-scores, return_inverse=True)
    mass = np.zeros(len(distinct))
    np.add.at(mass, place, stands_for)
    reached = np.cumsum(mass) / mass.sum()
    shares = np.cumsum([budget.decline, budget.step_up, budget.review])
    decline, step_up, review = (_least(-distinct, reached, share) for share in shares)
    return validated(Thresholds(review=review, step_up=step_up, decline=decline))


def _least(scores: Floats, reached: Floats, share: float) -> float:
    """Below the last of `scores`, from the greatest, that at most `share` reaches; 1 if none is."""
    fitting = int(np.searchsorted(reached, share + 1e-9, side="right"))
    if not fitting:
        return 1.0
    following = scores[fitting] if fitting < len(scores) else 0.0
    return float((scores[fitting - 1] + following) / 2)
