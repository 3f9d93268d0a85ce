"""Ruling: what the rules of a set together make of one transaction.

A rule whose condition holds acts, unless it is a shadow or the transaction lies outside its share.
A rule whose condition is unknown does not act, and neither does one that says its opposite.

1. The points of adjusting rules are added to the score, which stays within 0 and 1.
2. The thresholds give an outcome for that score. An approving rule puts `approve` in its place.
3. The severest of that outcome and of the rules that review, step up or decline is the outcome:
   an approving rule overrules the score, never another rule.

The order of the rules does not matter, but that reasons of equal weight keep it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from domain.events.lists import DeclaredList
from domain.events.rules import Rule, RulesApplied
from domain.events.transactions import Outcome, Thresholds
from domain.policy.rollout import WHOLE, in_roll_out
from domain.policy.rules.numbers import as_text
from domain.policy.rules.rule_set import SEVERITIES, placeholders
from domain.policy.thresholds import SEVERITY, outcome, severity

FAMILY = "policy"
"""Of the reason codes of published rules; `rule` is that of the fallback rules."""

RULES_FAILED = "rules_failed"
"""The flag of a decision whose rules could not be evaluated: none of them acted."""

Value = float | int | str
Truth = bool | None
"""True, false, or None where it cannot be told."""

_NOTHING: Mapping[str, Any] = {}
_MOST_WORDS = 5  # a decision has no more reasons

_WEIGHT = {"approve": 0, "adjust": 1, "review": 2, "step_up": 3, "decline": 4}


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Rules, and the lists that they may see, with the offset of the fact that published them."""

    version: int
    rules: tuple[Rule, ...]
    lists: tuple[DeclaredList, ...] = ()


@dataclass(frozen=True, slots=True)
class Ruling:
    """`points` in hundredths; `least` is the mildest outcome that the acting rules allow.

    `reasons` are codes, weightiest first, and `words` those of the weightiest rule of each. `held`
    and `shadow` are numbers of rules. `firm` where a rule acted against the payment that does not
    let it be explored.
    """

    version: int
    points: int
    approves: bool
    least: Outcome
    words: Mapping[str, str]
    held: tuple[int, ...]
    shadow: tuple[int, ...]
    unknown: tuple[int, ...]
    firm: bool = False

    @property
    def reasons(self) -> tuple[str, ...]:
        return tuple(self.words)

    def score(self, score: float) -> float:
        """After adjustments, in [0, 1]."""
        # A score that no rule touches keeps its bits.
        return score if not self.points else min(max(score + self.points / 100, 0.0), 1.0)

    def outcome(self, score: float, thresholds: Thresholds) -> Outcome:
        """Of the model's score, before adjustments."""
        by_score = "approve" if self.approves else outcome(self.score(score), thresholds)
        return max(by_score, self.least, key=severity)

    def applied(
        self,
        score: float,
        values: Mapping[str, Value],
        entries: Mapping[str, str] = _NOTHING,
        versions: Mapping[str, int] = _NOTHING,
    ) -> RulesApplied:
        """As the decision records it; a value that is unknown is left out.

        Of lists the values are the `entries` that matched, and `versions` those looked up in.
        """
        words = dict(list(self.words.items())[:_MOST_WORDS])
        names = [name for each in words.values() for name in placeholders(each)]
        return RulesApplied(
            version=self.version,
            fired=list(self.held),
            shadow=list(self.shadow),
            not_evaluable=as_text(self.unknown),
            score=self.score(score),
            words=words,
            values={name: values[name] for name in names if name in values} | dict(entries),
            lists=dict(versions),
        )


def ruling(rule_set: RuleSet, truths: Sequence[Truth], transaction_id: str) -> Ruling:
    """A pure function; `truths` are in the order of the set."""
    rules = rule_set.rules
    holding = [n for n, truth in enumerate(truths) if truth]
    held = [n for n in holding if acts(rules[n], transaction_id)]
    acting = [rules[n] for n in held]
    return Ruling(
        version=rule_set.version,
        points=sum(rule.points for rule in acting),
        approves=any(rule.action == "approve" for rule in acting),
        least=SEVERITY[max(map(least_of, acting), default=0)],
        words=words_of(acting),
        held=tuple(held),
        shadow=tuple(n for n in holding if n not in set(held)),
        unknown=tuple(n for n, truth in enumerate(truths) if truth is None),
        firm=any(map(is_firm, acting)),
    )


def is_firm(rule: Rule) -> bool:
    """Whether it acts against the payment and does not let it be explored."""
    return (least_of(rule) > 0 or rule.points > 0) and not rule.explore


def words_of(acting: Iterable[Rule]) -> dict[str, str]:
    """By reason code, weightiest first, the words of the weightiest rule of each."""
    words: dict[str, str] = {}
    for rule in sorted(acting, key=_weight, reverse=True):
        words.setdefault(f"{FAMILY}.{rule.code}", rule.words)
    return words


def least_of(rule: Rule) -> int:
    """The severity of the mildest outcome that the rule allows where it acts."""
    return max(_WEIGHT[rule.action] - 1, 0)


def acts(rule: Rule, transaction_id: str) -> bool:
    """Whether a rule that holds does anything to that transaction."""
    if rule.shadow or rule.share == WHOLE:
        return not rule.shadow
    return in_roll_out(transaction_id, f"rule/{rule.name}", rule.share)


def _weight(rule: Rule) -> tuple[int, int]:
    return _WEIGHT[rule.action], SEVERITIES.index(rule.severity)
