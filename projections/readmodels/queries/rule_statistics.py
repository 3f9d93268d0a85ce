"""Statistics of rules: what each did in every set, and what a shadow would have done.

Decisions name rules by their number in a set; the sets come from the policy topic.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import permutations

from sqlalchemy import Engine

from domain.events import Rule
from domain.policy.rules.numbers import from_text
from domain.policy.thresholds import SEVERITY
from projections.readmodels.queries.figures import Figures
from projections.readmodels.queries.tallies import Tally, Window, tallies

RuleSets = Mapping[int, Sequence[Rule]]
"""Rules by the version of their set."""

_PARTS = ("version", "fired", "shadow", "not_evaluable")
# What these do hangs on the score and on other rules: a shadow of them cannot be told apart.
_UNTOLD = ("approve", "adjust")


@dataclass(slots=True)
class RuleStatistics:
    """Of one rule in one set, and on one day (UTC, of the payment) where days are asked for.

    `decisions` are all with that set, and `not_evaluable` those where something was unknown.
    `acted` and `shadow` are hits: the rule held, and acted or not. `instead` are the shadow hits
    with an outcome milder than the rule's action: acting, it would have changed them; None for
    rules that approve or adjust. `together` counts, by name, hits that another rule had too.
    """

    version: int
    rule: Rule
    day: date | None
    decisions: int = 0
    not_evaluable: int = 0
    acted: Figures = field(default_factory=Figures)
    shadow: Figures = field(default_factory=Figures)
    instead: Figures | None = None
    together: dict[str, int] = field(default_factory=dict)


def rule_statistics(
    engine: Engine, window: Window, sets: RuleSets, *, daily: bool = False, name: str | None = None
) -> list[RuleStatistics]:
    """Of every rule of the sets that decisions of the window used; all, or those called so.

    Ordered by version, place in the set and day. Blocks; raises UnavailableError.
    """
    found = statistics_of(tallies(engine, window, [*_PARTS, *(["day"] if daily else [])]), sets)
    return [each for each in found if name in (None, each.rule.name)]


def figures_by_rule(engine: Engine, window: Window, sets: RuleSets) -> list[tuple[str, Figures]]:
    """(name, figures of the decisions in which the rule acted), by the most decisions.

    A decision in which several rules acted is in the figures of each. Blocks; raises
    UnavailableError.
    """
    found: dict[str, Figures] = {}
    for tally in tallies(engine, window, _PARTS[:2]):
        version, fired = tally.key
        for number in fired or ():
            if version in sets:
                found.setdefault(sets[version][number].name, Figures()).add(tally)
    return sorted(found.items(), key=lambda each: (-each[1].decisions, each[0]))


def statistics_of(given: Iterable[Tally], sets: RuleSets) -> list[RuleStatistics]:
    """Of tallies by version, fired, shadow, not evaluable and perhaps day."""
    found: dict[tuple[int, date | None], list[RuleStatistics]] = {}
    for tally in given:
        version, fired, shadow, unknown, *days = tally.key
        if version not in sets:
            continue
        key = version, days[0] if days else None
        if key not in found:
            found[key] = [_begun(version, rule, key[1]) for rule in sets[version]]
        _count(tally, found[key], fired, shadow, from_text(unknown))
    rows = [(key, number, row) for key, rules in found.items() for number, row in enumerate(rules)]
    rows.sort(key=lambda row: (row[0][0], row[1], row[0][1] or date.min))
    return [row for _, _, row in rows]


def _begun(version: int, rule: Rule, day: date | None) -> RuleStatistics:
    return RuleStatistics(version, rule, day, instead=None if rule.action in _UNTOLD else Figures())


def _count(
    tally: Tally,
    rules: list[RuleStatistics],
    fired: list[int],
    shadow: list[int],
    unknown: list[int],
) -> None:
    for each in rules:
        each.decisions += tally.decisions
    for number in unknown:
        rules[number].not_evaluable += tally.decisions
    for number in fired:
        rules[number].acted.add(tally)
    for number in shadow:
        each = rules[number]
        each.shadow.add(tally)
        if each.instead is not None and _milder(tally, each.rule):
            each.instead.add(tally)
    for one, other in permutations([*fired, *shadow], 2):
        together, name = rules[one].together, rules[other].rule.name
        together[name] = together.get(name, 0) + tally.decisions


def _milder(tally: Tally, rule: Rule) -> bool:
    return SEVERITY.index(tally.outcome) < SEVERITY.index(rule.action)
