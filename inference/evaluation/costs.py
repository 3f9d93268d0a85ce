"""Costs of decisions in money, by a cost matrix per payment.

Example-dependent costs, and savings against doing nothing: Bahnsen et al. 2016, "Feature
engineering strategies for credit card fraud detection", equations 3 and 4.
"""

from dataclasses import dataclass

import numpy as np

from domain.errors import InvalidInputError
from domain.events import Thresholds
from inference.frame.frame import Bools, Floats, Ints


@dataclass(frozen=True, slots=True)
class Costs:
    """`review` and `step_up` are for each such payment, in minor units of the base currency.

    `declined_genuine` and `missed_fraud` are shares of the payment's amount: a margin and a
    customer's patience lost, and a loss borne whole. A fraud that is reviewed, stepped up or
    declined counts as stopped.
    """

    review: int = 200
    step_up: int = 0
    declined_genuine: float = 0.05
    missed_fraud: float = 1.0

    def __post_init__(self) -> None:
        if min(self.review, self.step_up, self.declined_genuine, self.missed_fraud) < 0:
            raise InvalidInputError("costs", f"none may be negative: {self}")


@dataclass(frozen=True, slots=True)
class Money:
    """In minor units of the base currency; `saved` is what the model spares, all costs counted."""

    without_model: float
    missed_fraud: float
    reviews: float
    step_ups: float
    declined_genuine: float

    @property
    def saved(self) -> float:
        spent = self.missed_fraud + self.reviews + self.step_ups + self.declined_genuine
        return self.without_model - spent

    @property
    def saved_share(self) -> float | None:
        """Of what fraud would cost without a model; None where it would cost nothing."""
        return self.saved / self.without_model if self.without_model else None


def money(
    labels: Floats,
    scores: Floats,
    amounts: Ints,
    weights: Floats,
    thresholds: Thresholds,
    costs: Costs,
) -> Money:
    """Of labelled rows [n] (1 or 0), each standing for `weights` payments."""
    fraud, genuine = labels == 1, labels == 0
    worth = amounts * weights
    declined, stepped_up, reviewed = _outcomes(scores, thresholds)
    passed = scores < thresholds.review
    return Money(
        without_model=float(costs.missed_fraud * worth[fraud].sum()),
        missed_fraud=float(costs.missed_fraud * worth[fraud & passed].sum()),
        reviews=float(costs.review * weights[reviewed].sum()),
        step_ups=float(costs.step_up * weights[stepped_up].sum()),
        declined_genuine=float(costs.declined_genuine * worth[genuine & declined].sum()),
    )


def cost_of_each(
    labels: Floats, scores: Floats, amounts: Ints, thresholds: Thresholds, costs: Costs
) -> Floats:
    """Of labelled rows [n], in minor units of the base currency; what `money` adds up."""
    fraud, genuine = labels == 1, labels == 0
    declined, stepped_up, reviewed = _outcomes(scores, thresholds)
    cost: Floats = (
        costs.missed_fraud * amounts * (fraud & (scores < thresholds.review))
        + costs.review * reviewed
        + costs.step_up * stepped_up
        + costs.declined_genuine * amounts * (genuine & declined)
    )
    return cost


def threshold_shares(scores: Floats, weights: Floats, thresholds: Thresholds) -> dict[str, float]:
    """Share of traffic that gets each outcome but approval."""
    total = weights.sum()
    parts = zip(("decline", "step_up", "review"), _outcomes(scores, thresholds), strict=True)
    return {name: float(np.sum(weights[rows]) / total) for name, rows in parts}


def _outcomes(scores: Floats, thresholds: Thresholds) -> tuple[Bools, Bools, Bools]:
    """Which rows are declined, stepped up and reviewed."""
    declined = scores >= thresholds.decline
    stepped_up = ~declined & (scores >= thresholds.step_up)
    return declined, stepped_up, ~declined & ~stepped_up & (scores >= thresholds.review)
