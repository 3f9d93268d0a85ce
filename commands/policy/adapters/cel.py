"""Google's CEL as the language of rules: check, compile, evaluate.

What is unknown is left out of the activation: CEL then answers with an error, which `&&` and `||`
absorb where the other side decides. None and NaN would not do: a comparison with NaN is false, and
its negation would hold.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from cel_expr_python import cel

from commands.policy.adapters.checked import decoded
from commands.ports.rules import ConditionFault
from domain.errors import InvalidInputError
from domain.events.lists import DeclaredList
from domain.events.rules import Rule
from domain.policy.rules.allowed import refused
from domain.policy.rules.rule_set import placeholders
from domain.policy.rules.ruling import Truth, Value
from domain.policy.rules.tree import Node
from domain.rule_values import list_types

_TYPES = {float: cel.Type.DOUBLE, int: cel.Type.INT, str: cel.Type.STRING, bool: cel.Type.BOOL}
_FAULT = re.compile(r"ERROR: <input>:(\d+):(\d+): (.*)")
_NO_OVERLOAD = re.compile(r"found no matching overload for '([^']*)' applied to '\((.*)\)'")
_UNDECLARED = re.compile(r"undeclared reference to '([^']*)' \(in container ''\)")
_DOTTED = re.compile(r"[\w.]+")
_DOTTED_END = re.compile(r"[\w.]*$")
_WORD = re.compile(r"\w+")
_HINT = "; write {0}.0 instead of {0}, or double(...) around an integer"
_WHOLE = re.compile(r"(?<![\w.])(\d+)(?![\w.])")


class CelRules:
    """The compiled conditions of one rule set."""

    def __init__(
        self, env: Any, rules: Sequence[Rule], made: Sequence[Any], known: Mapping[str, type]
    ) -> None:
        self._activation = env.Activation
        self._evals = [expression.eval for expression in made]
        used = {name for each in made for name in decoded(each.serialize()).names}
        used.update(name for rule in rules for name in placeholders(rule.words))
        self.names: tuple[str, ...] = tuple(name for name in known if name in used)

    def truths(self, known: Mapping[str, Value]) -> list[Truth]:
        activation = self._activation(known)
        # `is`, for an error's value is a text.
        answers = [evaluate(activation).value() for evaluate in self._evals]
        return [answer if answer is True or answer is False else None for answer in answers]


class CelLanguage:
    """Conditions over `types` by name: float, int, str or bool."""

    def __init__(self, types: Mapping[str, type[Value]]) -> None:
        self._known = types
        self._env = cel.NewEnv(variables={name: _TYPES[kind] for name, kind in types.items()})
        self._knowing: tuple[Mapping[str, type[Value]], CelLanguage] = ({}, self)
        self._seeing: tuple[tuple[str, ...], CelLanguage] = ((), self)

    def faults(self, condition: str, lists: Sequence[DeclaredList] = ()) -> list[ConditionFault]:
        if lists:
            return self._with(lists).faults(condition)
        return self._compiled(condition)[1]

    def _compiled(self, condition: str) -> tuple[Any, list[ConditionFault]]:
        """CEL's expression, None where it is none, and what is wrong with it."""
        try:
            made = self._env.compile(condition)
        except RuntimeError as error:
            found = _FAULT.findall(str(error)) or [("1", "1", str(error))]
            lines = condition.splitlines() or [""]
            faults = [self._fault(int(line), int(at), text, lines) for line, at, text in found]
            return None, faults
        if made.return_type() != cel.Type.BOOL:
            kind = made.return_type().name().lower()
            wrong: str | None = f"a condition is true or false, and this is {kind}"
        else:
            wrong = refused(decoded(made.serialize()).tree)
        return made, [ConditionFault(1, 1, wrong)] if wrong else []

    def tree(self, condition: str, lists: Sequence[DeclaredList] = ()) -> Node:
        if lists:
            return self._with(lists).tree(condition)
        return decoded(self._env.compile(condition).serialize()).tree

    def compile(self, rules: Sequence[Rule], lists: Sequence[DeclaredList] = ()) -> CelRules:
        if lists:
            return self._with(lists).compile(rules)
        made = []
        for rule in rules:
            expression, faults = self._compiled(rule.condition)
            for fault in faults:
                raise InvalidInputError(
                    f"rule {rule.name}", f"{fault.line}:{fault.column}: {fault.message}"
                )
            made.append(expression)
        return CelRules(self._env, rules, made, self._known)

    def knowing(self, features: Sequence[str]) -> CelLanguage:
        """The last one is kept."""
        if not features:
            return self
        names = tuple(features)
        if self._seeing[0] != names:
            self._seeing = names, CelLanguage({**self._known, **dict.fromkeys(names, float)})
        return self._seeing[1]

    def _with(self, lists: Sequence[DeclaredList]) -> CelLanguage:
        """The language that knows these lists too; the last one is kept."""
        types = list_types(lists)
        known, language = self._knowing
        if known != types:
            language = CelLanguage({**self._known, **types})
            self._knowing = (types, language)
        return language

    def _fault(self, line: int, column: int, text: str, lines: Sequence[str]) -> ConditionFault:
        """CEL's message in words, with what to write instead where that can be told."""
        whole = lines[line - 1] if line <= len(lines) else ""
        if _UNDECLARED.match(text):
            # Of `a.b` CEL names `a` and points at the dot.
            start = column - 1 - len(_DOTTED_END.findall(whole[: column - 1])[0])
            written = _DOTTED.match(whole[start:])
            name = written[0] if written else whole
            message = f"{name} is no feature, field or list{self._near(name)}"
            return ConditionFault(line, start + 1, message)
        if found := _NO_OVERLOAD.match(text):
            sign, kinds = found[1].strip("_"), found[2]
            hint = _HINT if {"double", "int"} <= set(_WORD.findall(kinds)) else ""
            number = _WHOLE.search(whole[column - 1 :])
            number_text = number[1] if number else "5"
            return ConditionFault(
                line, column, f"{sign} does not take ({kinds}){hint.format(number_text)}"
            )
        return ConditionFault(line, column, text)

    def _near(self, name: str) -> str:
        close = get_close_matches(name, list(self._known), n=1)
        return f"; is {close[0]} meant?" if close else ""
