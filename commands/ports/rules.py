"""Port of the language that conditions of rules are written in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from domain.events.lists import DeclaredList
from domain.events.rules import Rule
from domain.policy.rules.ruling import Truth, Value
from domain.policy.rules.tree import Node


@dataclass(frozen=True, slots=True)
class ConditionFault:
    """What is wrong with a condition, at a line and column of its text, both from 1."""

    line: int
    column: int
    message: str


class CompiledRules(Protocol):
    """The conditions of one rule set. Immutable; one thread at a time."""

    @property
    def names(self) -> tuple[str, ...]:
        """What the conditions and the words see, each name once."""
        ...

    def truths(self, known: Mapping[str, Value]) -> list[Truth]:
        """For each rule whether its condition holds; None where that is unknown.

        A name without a value is unknown. `||` and `&&` absorb what is unknown where the other
        side decides; anything else over it is unknown, a negation too. So is a condition that fails
        (a division of integers by zero).
        """
        ...


class RuleLanguage(Protocol):
    """Checks and compiles conditions against the names of `domain.rule_values` and given lists."""

    def faults(self, condition: str, lists: Sequence[DeclaredList] = ()) -> list[ConditionFault]:
        """Nothing where the condition is a boolean over known names of the right types."""
        ...

    def tree(self, condition: str, lists: Sequence[DeclaredList] = ()) -> Node:
        """Of a condition without faults, for those who evaluate it over columns."""
        ...

    def knowing(self, features: Sequence[str]) -> RuleLanguage:
        """The language that sees values of these names too, as doubles."""
        ...

    def compile(self, rules: Sequence[Rule], lists: Sequence[DeclaredList] = ()) -> CompiledRules:
        """Raises InvalidInputError, which names the rule, where a condition has faults."""
        ...
