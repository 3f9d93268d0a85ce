"""Levels of model health and the limits between them."""

from dataclasses import dataclass
from typing import Literal

from domain.errors import InvalidInputError

Level = Literal["unknown", "steady", "warn", "alert"]
LEVELS: tuple[Level, ...] = ("unknown", "steady", "warn", "alert")
"""From the least to the most urgent. Unknown: too little data to say."""


@dataclass(frozen=True, slots=True)
class Limits:
    """PSI from which a distribution is said to drift: .1 and .25 are the trade's rule of thumb.

    `ratio_*` bound observed over expected frauds, and its inverse. A level is only given where the
    difference is significant at `significance`, shared out over the features (Bonferroni), and
    where there are `least` decisions, or `least_frauds` frauds, observed or expected. Drift has no
    level where decisions reach over less than `coverage` of the window: a day lacks the rhythm of a
    week.
    """

    psi_warn: float = 0.1
    psi_alert: float = 0.25
    ratio_warn: float = 1.5
    ratio_alert: float = 2.0
    least: int = 500
    least_frauds: int = 10
    significance: float = 0.01
    coverage: float = 0.85

    def __post_init__(self) -> None:
        if not 0 < self.psi_warn <= self.psi_alert:
            raise InvalidInputError("psi", "expected 0 < warn <= alert")
        if not 1 < self.ratio_warn <= self.ratio_alert:
            raise InvalidInputError("ratio", "expected 1 < warn <= alert")

    def of_psi(self, psi: float, p_value: float, tests: int = 1) -> Level:
        """`tests` is how many distributions are looked at together."""
        if p_value >= self.significance / tests or psi < self.psi_warn:
            return "steady"
        return "alert" if psi >= self.psi_alert else "warn"

    def of_ratio(self, ratio: float, p_value: float) -> Level:
        """`ratio` >= 0 is as far off as its inverse."""
        away = max(ratio, 1 / ratio) if ratio else float("inf")
        if p_value >= self.significance or away < self.ratio_warn:
            return "steady"
        return "alert" if away >= self.ratio_alert else "warn"


def worst(levels: list[Level]) -> Level:
    """Unknown only where all are."""
    return max(levels, key=LEVELS.index, default="unknown")
