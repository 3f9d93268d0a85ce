"""Thresholds: from a score to an outcome, and the order of outcomes by severity.

Severity is what the outcome does to the customer: an approved payment passes, a reviewed one
passes and is looked at by a person, a stepped-up one waits for the customer to prove who they are,
a declined one ends. Hence 0 <= review <= step_up <= decline <= 1; equal thresholds leave the milder
of the two outcomes without scores.
"""

from domain.errors import InvalidInputError
from domain.events import Outcome, Thresholds

SEVERITY: tuple[Outcome, ...] = ("approve", "review", "step_up", "decline")

DEFAULT_THRESHOLDS = Thresholds(review=0.5, step_up=0.75, decline=0.9)

# Scores of the fallback rules are no probabilities: thresholds of a model do not fit them.
FALLBACK_THRESHOLDS = Thresholds(review=0.5, step_up=0.7, decline=0.9)


def outcome(score: float, thresholds: Thresholds) -> Outcome:
    """The severest outcome whose threshold the score reaches."""
    if score >= thresholds.decline:
        return "decline"
    if score >= thresholds.step_up:
        return "step_up"
    if score >= thresholds.review:
        return "review"
    return "approve"


def severity(outcome: Outcome) -> int:
    """0 for the mildest outcome."""
    return SEVERITY.index(outcome)


def validated(thresholds: Thresholds) -> Thresholds:
    """The same thresholds. Raises InvalidInputError naming the first that is out of order."""
    least, least_name = 0.0, "0"
    for name in ("review", "step_up", "decline"):
        value = getattr(thresholds, name)
        if not least <= value <= 1.0:
            raise InvalidInputError(
                f"thresholds.{name}",
                f"expected a score from {least_name} to 1, not {value}"
                " (0 <= review <= step_up <= decline <= 1)",
            )
        least, least_name = value, f"{name} ({value})"
    return thresholds
