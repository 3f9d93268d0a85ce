"""Reconciliation at the end of a demo: is anything lost, is anything decided twice?"""

from collections.abc import Mapping
from dataclasses import dataclass

from local.demo.live.figures import Figures


@dataclass(frozen=True, slots=True)
class Stored:
    """A decision in PostgreSQL; partition and offset are those of its event in the log."""

    outcome: str
    score: float
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Transaction ids. `lost`: acknowledged, but not decided. `doubled`: decided twice."""

    lost: tuple[str, ...]
    doubled: tuple[str, ...]
    unprojected: tuple[str, ...]

    @property
    def balanced(self) -> bool:
        return not self.lost and not self.doubled


def reconcile(
    figures: Figures, stored: Mapping[str, Stored], counted: Mapping[str, int]
) -> Reconciliation:
    """`counted` is the number of decisions per id that count in the log.

    An id is doubled too if PostgreSQL holds another event than the log, or if a client received
    another decision.
    """
    doubled = {each for each, number in counted.items() if number > 1}
    for each, decision in figures.decisions.items():
        answer, kept = figures.answers.get(each), stored.get(each)
        if kept and (kept.partition, kept.offset) != (decision.partition, decision.offset):
            doubled.add(each)
        if kept and (kept.outcome, kept.score) != (decision.outcome, decision.score):
            doubled.add(each)
        if answer and (answer.outcome, answer.score) != (decision.outcome, decision.score):
            doubled.add(each)
    return Reconciliation(
        lost=tuple(sorted(figures.waiting)),
        doubled=tuple(sorted(doubled)),
        unprojected=tuple(sorted(figures.decisions.keys() - stored.keys())),
    )
