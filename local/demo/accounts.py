"""Owns the accounts at the end of a demo: nothing lost, nothing decided twice; reads no store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from local.demo.live.figures import Figures


@dataclass(frozen=True, slots=True)
class Stored:
    """A decision as the read model in PostgreSQL has it; the place is its event's in the log."""

    outcome: str
    score: float
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class Accounts:
    """Ids. `lost` were acknowledged and have no decision; of `doubled` two decisions count."""

    lost: tuple[str, ...]
    doubled: tuple[str, ...]
    unprojected: tuple[str, ...]

    @property
    def balanced(self) -> bool:
        return not self.lost and not self.doubled


def settle(figures: Figures, stored: Mapping[str, Stored], counted: Mapping[str, int]) -> Accounts:
    """`counted` is the number of decisions per id that count in the log.

    Where PostgreSQL has another event than the log, or a client was told another decision, two
    decisions were held to count.
    """
    doubled = {each for each, number in counted.items() if number > 1}
    for each, decision in figures.decisions.items():
        told, kept = figures.answers.get(each), stored.get(each)
        if kept and (kept.partition, kept.offset) != (decision.partition, decision.offset):
            doubled.add(each)
        if kept and (kept.outcome, kept.score) != (decision.outcome, decision.score):
            doubled.add(each)
        if told and (told.outcome, told.score) != (decision.outcome, decision.score):
            doubled.add(each)
    return Accounts(
        lost=tuple(sorted(figures.waiting)),
        doubled=tuple(sorted(doubled)),
        unprojected=tuple(sorted(figures.decisions.keys() - stored.keys())),
    )
