"""Sweeps: one parameter of a policy over a range, as `review_threshold=0.2:0.8:0.05`.

A parameter is a threshold (`review_threshold`, `step_up_threshold`, `decline_threshold`), the
points of a rule (`RULE.points`), or the one number that a rule compares a value with, by rule and
value (`busy-card.card_count_1h`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Any

from commands.ports import RuleLanguage
from domain.errors import InvalidInputError
from domain.policy.rules.tree import Call, Literal, Name, Node
from operations.backtest.policies.deciding import Decisions, decide
from operations.backtest.policies.figures import on_frontier, point
from operations.backtest.policies.forecast import forecast, groupings
from operations.backtest.policies.past import Past
from operations.backtest.policies.policy import Policy, Setting

MOST = 200
_THRESHOLDS = {f"{name}_threshold": name for name in ("review", "step_up", "decline")}
_COMPARED = ("less", "greater", "equals", "not_equals")


@dataclass(frozen=True, slots=True)
class Sweep:
    """`values` ascend; `text` is how they were asked for."""

    parameter: str
    values: tuple[float, ...]
    text: str


def parse_sweep(text: str) -> Sweep:
    """Raises InvalidInputError."""
    parameter, sign, span = text.partition("=")
    try:
        first, last, step = (Decimal(part) for part in span.split(":"))
        count = int((last - first) / step) + 1 if step > 0 else 0
    except (ValueError, InvalidOperation) as error:
        raise InvalidInputError("--sweep", f"{text!r} is not NAME=FIRST:LAST:STEP") from error
    if not sign or not 0 < count <= MOST:
        raise InvalidInputError("--sweep", f"{text!r} has {count} values: 1 to {MOST} can be tried")
    # Decimal steps, so that 0.2 + 0.05 + 0.05 is 0.3.
    values = tuple(float(first + n * step) for n in range(count))
    return Sweep(parameter.strip(), values, text)


def swept(
    past: Past,
    policy: Policy,
    sweep: Sweep,
    language: RuleLanguage,
    count: Callable[[int, int], None],
) -> list[dict[str, Any]]:
    """Points in the order of values; `frontier` tells those that no other beats in both loss and
    load, `forecast` what a following period of the same length will bring.

    Raises InvalidInputError for a parameter that the policy has not."""
    tried, of = _tried(past, policy, sweep.parameter, language), groupings(past)
    points = []
    for number, value in enumerate(sweep.values):
        made = tried(value)
        points.append({**point(past, made, value), "forecast": forecast(past, made, of)})
        count(number + 1, len(sweep.values))
    marks = on_frontier(points)
    return [{**each, "frontier": mark} for each, mark in zip(points, marks, strict=True)]


def _tried(
    past: Past, policy: Policy, parameter: str, language: RuleLanguage
) -> Callable[[float], Decisions]:
    if parameter in _THRESHOLDS:
        made = decide(past, policy, language)
        return lambda value: made.at(policy.name, **{_THRESHOLDS[parameter]: value})
    name, _, value_name = parameter.partition(".")
    sets = {each.rule_set: each for each in policy.settings}
    rule_set = next((each for each in sets if each and name in {r.name for r in each.rules}), None)
    if rule_set is None or not value_name:
        known = ", ".join(_THRESHOLDS)
        raise InvalidInputError("--sweep", f"{parameter} is none of {known}, nor RULE.NAME")
    rule = next(each for each in rule_set.rules if each.name == name)
    if value_name == "points":
        return lambda value: decide(past, _with_points(policy, name, int(value)), language)
    tree = sets[rule_set].language(language).tree(rule.condition, rule_set.lists)
    if (found := _places(tree, value_name)) != 1:
        raise InvalidInputError(
            "--sweep", f"rule {name} compares {value_name} with {found} numbers: it must be one"
        )
    return lambda value: decide(past, policy, language, {name: _moved(tree, value_name, value)})


def _with_points(policy: Policy, name: str, points: int) -> Policy:
    def moved(setting: Setting) -> Setting:
        rule_set = setting.rule_set
        if rule_set is None:
            return setting
        rules = (replace(r, points=points) if r.name == name else r for r in rule_set.rules)
        return replace(setting, rule_set=replace(rule_set, rules=tuple(rules)))

    return policy.changed(moved)


def _is_place(node: Node, name: str) -> bool:
    if not isinstance(node, Call) or not node.overload.startswith(_COMPARED):
        return False
    kinds = [type(each) for each in node.arguments]
    names = [each.name for each in node.arguments if isinstance(each, Name)]
    return sorted(kind.__name__ for kind in kinds) == ["Literal", "Name"] and names == [name]


def _places(node: Node, name: str) -> int:
    below = node.arguments if isinstance(node, Call) else ()
    return _is_place(node, name) + sum(_places(each, name) for each in below)


def _moved(node: Node, name: str, value: float) -> Node:
    if not isinstance(node, Call):
        return node
    if _is_place(node, name):
        given = (_literal(each, value) for each in node.arguments)
        return Call(node.overload, tuple(given))
    return Call(node.overload, tuple(_moved(each, name, value) for each in node.arguments))


def _literal(node: Node, value: float) -> Node:
    if not isinstance(node, Literal):
        return node
    return Literal(int(value) if isinstance(node.value, int) else value)
