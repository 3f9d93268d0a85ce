"""Nearest counterfactuals: the smallest changes that give another outcome, each decided again.

Every change is tried by itself; one by degrees is halved down to the least that still changes the
outcome. Where no single change gets the payment approved, or none makes the outcome severer, pairs
are tried. The search is bounded; what it does not find may still be there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from domain.events import Outcome
from domain.policy.thresholds import SEVERITY, severity
from operations.explain.changes import Change, Input, Scale

MOST_TRIALS = 600
MOST_SHOWN = 12

Decide = Callable[[Input], Outcome]


@dataclass(frozen=True, slots=True)
class Counterfactual:
    """Changes that together give `outcome`."""

    changes: tuple[Change, ...]
    outcome: Outcome

    @property
    def size(self) -> tuple[int, float]:
        return len(self.changes), sum(each.size for each in self.changes)


@dataclass(slots=True)
class Search:
    """Of one decision. `tried` counts the decisions that were taken again."""

    given: Input
    was: Outcome
    decide: Decide
    tried: int = 0
    found: list[Counterfactual] = field(default_factory=list)

    def run(self, scales: Sequence[Scale], plain: Sequence[Change]) -> list[Counterfactual]:
        """The smallest first, at most MOST_SHOWN; those of one change before any of two."""
        for change in plain:
            self._try((change,))
        for scale in scales:
            self._least(scale)
        wanted = self._missing()
        if wanted:
            some = [scale.at(step) for scale in scales for step in scale.steps[::3]]
            self._pairs([*plain, *some], wanted)
        return sorted(self.found, key=lambda each: each.size)[:MOST_SHOWN]

    def _missing(self) -> set[Outcome]:
        """`approve`, unless a single change gives it, and what is severer, unless any does."""
        reached = {each.outcome for each in self.found}
        severer = {each for each in SEVERITY if severity(each) > severity(self.was)}
        wanted = set[Outcome]() if severer & reached else severer
        return wanted | ({"approve"} - reached - {self.was})

    def _outcome(self, changes: Sequence[Change]) -> Outcome:
        self.tried += 1
        made = self.given
        for change in changes:
            made = change.make(made)
        return self.decide(made)

    def _try(self, changes: tuple[Change, ...]) -> Outcome:
        outcome = self._outcome(changes)
        if outcome != self.was:
            self.found.append(Counterfactual(changes, outcome))
        return outcome

    def _least(self, scale: Scale) -> None:
        """The least degree for each outcome that any of its steps gives."""
        same, known = 0, {self.was}
        for place, step in enumerate(scale.steps):
            outcome = self._outcome((scale.at(step),))
            if outcome in known:
                continue
            known.add(outcome)
            same = scale.steps[place - 1] if place else self._origin(scale)
            self._halve(scale, same, step, outcome)

    def _origin(self, scale: Scale) -> int:
        """The degree that is no change: what all steps lie on one side of."""
        amount = self.given.transaction.amount
        return amount if scale.resolution == 1 else 0

    def _halve(self, scale: Scale, other: int, step: int, outcome: Outcome) -> None:
        """Between a degree that does not give the outcome and one that does."""
        while abs(step - other) > scale.resolution:
            middle = other + (step - other) // (2 * scale.resolution) * scale.resolution
            if middle in (other, step):
                break
            if self._outcome((scale.at(middle),)) == outcome:
                step = middle
            else:
                other = middle
        self.found.append(Counterfactual((scale.at(step),), outcome))

    def _pairs(self, changes: Sequence[Change], wanted: set[Outcome]) -> None:
        """Of two changes of the same things the smaller pair alone is told."""
        best: dict[tuple[frozenset[str], Outcome], Counterfactual] = {}
        for pair in combinations(sorted(changes, key=lambda each: each.size), 2):
            if self.tried >= MOST_TRIALS:
                break
            if pair[0].what == pair[1].what:
                continue
            outcome = self._outcome(pair)
            if outcome not in wanted:
                continue
            made = Counterfactual(pair, outcome)
            known = best.setdefault((frozenset(each.what for each in pair), outcome), made)
            if made.size < known.size:
                best[frozenset(each.what for each in pair), outcome] = made
        self.found += best.values()
