"""Score: the answer of a scorer, be it a model or the fallback rules."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Score:
    """`value` in [0, 1]; `reasons` are reason codes of the largest contributions, largest first."""

    value: float
    reasons: list[str]
