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


@dataclass(frozen=True, slots=True)
class _Part:
    """One change of a pair; one by degrees has its scale."""

    change: Change
    scale: Scale | None = None
    step: int = 0


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
            some = [_Part(scale.at(n), scale, n) for scale in scales for n in scale.steps[::3]]
            self._pairs([*map(_Part, plain), *some], wanted)
        return sorted(self.found, key=lambda each: each.size)[:MOST_SHOWN]

    def _missing(self) -> set[Outcome]:
        """`approve`, unless a single change gives it, and what is severer, unless any does."""
        reached = {each.outcome for each in self.found}
        severer = {each for each in SEVERITY if severity(each) > severity(self.was)}
        wanted = set[Outcome]() if severer & reached else severer
        if "approve" not in reached | {self.was}:
            wanted.add("approve")
        return wanted

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
        known = {self.was}
        for place, step in enumerate(scale.steps):
            outcome = self._outcome((scale.at(step),))
            if outcome in known:
                continue
            known.add(outcome)
            same = scale.steps[place - 1] if place else self._origin(scale)
            least = self._halved(scale, same, step, outcome)
            self.found.append(Counterfactual((least,), outcome))

    def _origin(self, scale: Scale) -> int:
        """The degree that is no change: what all steps lie on one side of."""
        amount = self.given.transaction.amount
        return amount if scale.resolution == 1 else 0

    def _halved(
        self, scale: Scale, other: int, step: int, outcome: Outcome, beside: Sequence[Change] = ()
    ) -> Change:
        """Between a degree that does not give the outcome and one that does, with what is `beside`:
        the least that does."""
        while abs(step - other) > scale.resolution:
            middle = other + (step - other) // (2 * scale.resolution) * scale.resolution
            if middle in (other, step):
                break
            if self._outcome((*beside, scale.at(middle))) == outcome:
                step = middle
            else:
                other = middle
        return scale.at(step)

    def _pairs(self, parts: Sequence[_Part], wanted: set[Outcome]) -> None:
        """Of two changes of the same things the smaller pair alone is told, each as little as the
        other allows."""
        best: dict[tuple[frozenset[str], Outcome], tuple[_Part, _Part]] = {}
        for pair in combinations(sorted(parts, key=lambda each: each.change.size), 2):
            if self.tried >= MOST_TRIALS:
                break
            changes = pair[0].change, pair[1].change
            if changes[0].what == changes[1].what:
                continue
            outcome = self._outcome(changes)
            if outcome in wanted:
                key = frozenset(each.what for each in changes), outcome
                known = best.setdefault(key, pair)
                if _size(pair) < _size(known):
                    best[key] = pair
        for (_, outcome), pair in best.items():
            first = self._least_of(pair[0], pair[1].change, outcome)
            second = self._least_of(pair[1], first, outcome)
            self.found.append(Counterfactual((first, second), outcome))

    def _least_of(self, part: _Part, beside: Change, outcome: Outcome) -> Change:
        if part.scale is None:
            return part.change
        return self._halved(part.scale, self._origin(part.scale), part.step, outcome, (beside,))


def _size(pair: Sequence[_Part]) -> float:
    return sum(each.change.size for each in pair)
