"""Planted differences: one of each cause, put into what is read of a decision; nothing is written.

A verification that works finds each of them, under its cause and no other.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from domain.events import Exploration, RulesApplied, TransactionScored
from domain.policy.thresholds import SEVERITY
from operations.replay.decided import Decided
from operations.replay.differences import CAUSES, Cause, Replayed

Plant = Callable[[Decided], Decided | None]
"""The altered decision, None where that one is not fit for it."""


def _event(decided: Decided) -> Decided | None:
    submission = decided.submission
    if submission is None:
        return None
    transaction = replace(submission.transaction, amount=submission.transaction.amount + 1)
    return replace(decided, submission=replace(submission, transaction=transaction))


def _feature(decided: Decided) -> Decided | None:
    features = list(decided.data.features)
    known = [place for place, value in enumerate(features) if value is not None]
    if not known:
        return None
    features[known[-1]] = math.nextafter(features[known[-1]] or 0.0, math.inf)
    return _with(decided, features=features)


def _model(decided: Decided) -> Decided | None:
    if decided.data.path != "full":
        return None
    return _with(decided, model_id="planted", model_hash="0" * 64)


def _rule(decided: Decided) -> Decided | None:
    rules = decided.data.rules
    if rules is None:
        made = RulesApplied(version=0, fired=[], shadow=[], not_evaluable="", score=0.0)
        return _with(decided, rules=made)
    shadow = [number for number in rules.shadow if number] if 0 in rules.shadow else [0]
    return _with(decided, rules=replace(rules, shadow=shadow))


def _list(decided: Decided) -> Decided | None:
    rules = decided.data.rules
    if rules is None:
        return None
    lists = {**rules.lists, "planted": 0}
    return _with(decided, rules=replace(rules, lists=lists))


def _thresholds(decided: Decided) -> Decided | None:
    least = decided.data.thresholds
    return _with(decided, thresholds=replace(least, review=math.nextafter(least.review, 2.0)))


def _exploration(decided: Decided) -> Decided | None:
    told = decided.data.exploration
    planted = Exploration(share=1 if told is None else told.share + 1,
                          explored=told is not None and told.explored)  # fmt: skip
    return _with(decided, exploration=planted)


def _suppression(decided: Decided) -> Decided | None:
    return _with(decided, suppressed_by=None if decided.data.suppressed_by else "planted")


def _code(decided: Decided) -> Decided | None:
    other = SEVERITY[(SEVERITY.index(decided.data.outcome) + 1) % len(SEVERITY)]
    return _with(decided, outcome=other)


def _runtime(decided: Decided) -> Decided | None:
    if decided.data.path != "full":
        return None
    score = math.nextafter(decided.data.score, 2.0)
    return _with(decided, score=score, fingerprint="planted")


_PLANTS: dict[Cause, Plant] = {
    "event": _event,
    "feature": _feature,
    "model": _model,
    "rule": _rule,
    "list": _list,
    "thresholds": _thresholds,
    "exploration": _exploration,
    "suppression": _suppression,
    "code": _code,
    "runtime": _runtime,
}


def _with(decided: Decided, **changes: object) -> Decided:
    data: TransactionScored = replace(decided.data, **changes)  # type: ignore[arg-type]
    return replace(decided, data=data)


@dataclass(slots=True)
class Planter:
    """Alters one decision for each cause, in the order of CAUSES, each another one.

    `made` is by cause the id of the transaction.
    """

    made: dict[Cause, str] = field(default_factory=dict)

    def __call__(self, decided: Decided) -> Decided:
        for cause in CAUSES:
            if cause not in self.made:
                altered = _PLANTS[cause](decided)
                if altered is not None:
                    self.made[cause] = decided.data.transaction.transaction_id
                    return altered
        return decided

    def found(self, replayed: Replayed) -> dict[Cause, str]:
        """By cause `found`, `not planted: ...`, or what was told in its place."""
        told: dict[str, set[str]] = {}
        for each in replayed.shown:
            told.setdefault(each.transaction_id, set()).add(each.cause)
        return {cause: self._state(cause, told) for cause in CAUSES}

    def _state(self, cause: Cause, told: dict[str, set[str]]) -> str:
        name = self.made.get(cause)
        if name is None:
            return "not planted: no decision is fit for it"
        causes = sorted(told.get(name, ()))
        return "found" if causes == [cause] else f"MISSED: told as {', '.join(causes) or 'nothing'}"
