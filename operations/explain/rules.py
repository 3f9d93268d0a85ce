"""The rules' part: those that held, those that could not be evaluated, with what they saw."""

from __future__ import annotations

from collections.abc import Mapping

from commands.ports import RuleLanguage
from domain.events import Rule, RulesApplied
from domain.policy.rules.numbers import from_text
from domain.policy.rules.rule_set import placeholders, sentences_of
from domain.policy.rules.ruling import RuleSet
from domain.policy.rules.tree import Name, walk
from operations.explain.told import ToldRule, ToldRules


def told_rules(
    applied: RulesApplied, rule_set: RuleSet, language: RuleLanguage, seen: Mapping[str, object]
) -> ToldRules:
    """`seen` are by name the values that rules could see."""

    def told(number: int) -> ToldRule:
        return _told(rule_set.rules[number], rule_set, language, seen)

    return ToldRules(
        applied.version,
        [told(n) for n in applied.fired],
        [told(n) for n in applied.shadow],
        [told(n) for n in from_text(applied.not_evaluable)],
    )


def _told(
    rule: Rule, rule_set: RuleSet, language: RuleLanguage, seen: Mapping[str, object]
) -> ToldRule:
    tree = language.tree(rule.condition, rule_set.lists)
    names = [node.name for node in walk(tree) if isinstance(node, Name)]
    names = list(dict.fromkeys([*names, *placeholders(rule.words)]))
    values = {name: seen[name] for name in names if name in seen}
    return ToldRule(
        rule.name,
        rule.action,
        rule.condition,
        _filled(rule, values),
        values,  # type: ignore[arg-type]
        [name for name in names if name not in seen],
    )


def _filled(rule: Rule, values: Mapping[str, object]) -> str:
    """As a decision says it."""
    made = RulesApplied(
        version=0, fired=[], shadow=[], not_evaluable="", score=0.0, words={"": rule.words},
        values=values,  # type: ignore[arg-type]
    )  # fmt: skip
    return sentences_of(made)[""]
