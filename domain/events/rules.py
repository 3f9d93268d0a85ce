"""Rules of the policy: their published set, and what they did in a decision."""

from dataclasses import dataclass, field
from typing import Literal

from domain.events.lists import DeclaredList
from domain.events.registry import Event, event

RuleAction = Literal["approve", "review", "step_up", "decline", "adjust"]
RuleSeverity = Literal["low", "medium", "high", "critical"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule. `condition` is CEL over the names of `domain.rule_values`.

    `words` say why, with names in braces where values belong. `points` are hundredths that the
    action `adjust` adds to the score. A `shadow` rule is recorded and does not act; any other acts
    on `share` basis points of traffic, by a hash of the id. What it acts against may be explored
    (see ExplorationPublished) only where `explore` says so.
    """

    name: str
    code: str
    words: str
    condition: str
    action: RuleAction
    severity: RuleSeverity
    owner: str
    points: int = 0
    shadow: bool = False
    share: int = 10_000
    explore: bool = False


@event("fraud.rules.published")
@dataclass(frozen=True, slots=True, kw_only=True)
class RulesPublished(Event):
    """From this position on, these rules take part in decisions, and no others.

    `rules_hash` is the SHA-256 of their text (domain.policy.rules.rule_set). They were checked
    against the features of `feature_set`. An empty list withdraws all rules. `took_back` is the
    offset of the earlier set that is in force again, None where the set was published from files.
    `lists` are those that its conditions may name; what they hold, other facts say.
    """

    rules: list[Rule]
    rules_hash: str
    feature_set: str
    reason: str
    took_back: int | None = None
    lists: list[DeclaredList] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesApplied:
    """What the rules did in a decision. Rules are named by their number in the set, from 0.

    `version` is the offset of the set. `fired` acted; `shadow` held too, and did not act. Of
    `not_evaluable` rules something was unknown: they neither held nor failed. It is text such as
    `0-2,7`. `score` is the one that the thresholds were held against, after adjustments. `words`
    are those of fired rules, by reason code, and `values` those that the words name. `lists` are by
    name the versions of the lists that the set sees; `values` has the entry that matched in each.
    """

    version: int
    fired: list[int]
    shadow: list[int]
    not_evaluable: str
    score: float
    words: dict[str, str] = field(default_factory=dict)
    values: dict[str, float | str] = field(default_factory=dict)
    lists: dict[str, int] = field(default_factory=dict)
