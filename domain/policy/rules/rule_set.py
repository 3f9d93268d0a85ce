"""Rule sets: what a set must be apart from its conditions, and its content hash."""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from hashlib import sha256
from typing import get_args

from domain.events.lists import DeclaredList
from domain.events.rules import Rule, RuleAction, RulesApplied, RuleSeverity
from domain.policy.rollout import WHOLE

MOST_RULES = 500
MOST_POINTS = 100
ACTIONS: tuple[RuleAction, ...] = get_args(RuleAction)
SEVERITIES: tuple[RuleSeverity, ...] = get_args(RuleSeverity)

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}", re.ASCII)
_CODE = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)
_PLACE = re.compile(r"\{([^{}]*)\}")


def hash_of(rules: Sequence[Rule], lists: Sequence[DeclaredList] = ()) -> str:
    """SHA-256 of the set: equal rules in an equal order have equal hashes on every machine."""
    parts = [*map(_written, rules), *map(asdict, lists)]
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()


def _written(rule: Rule) -> dict[str, object]:
    fields = asdict(rule)
    # Sets of before there was exploration keep their hashes.
    return fields if rule.explore else {k: v for k, v in fields.items() if k != "explore"}


def placeholders(words: str) -> list[str]:
    """The names in braces, each once, in the order of the words."""
    return list(dict.fromkeys(_PLACE.findall(words)))


def filled(words: str, shown: Callable[[str], str]) -> str:
    """The words with `shown(name)` in place of each `{name}`."""
    return _PLACE.sub(lambda found: shown(found.group(1)), words)


def sentences_of(applied: RulesApplied | None) -> dict[str, str]:
    """By reason code, in the words of the rules that acted, with the values that they saw."""
    if applied is None:
        return {}
    shown = partial(_shown, applied.values)
    return {code: filled(words, shown) for code, words in applied.words.items()}


def _shown(values: Mapping[str, float | str], name: str) -> str:
    value = values.get(name)
    if value is None:
        return "unknown"
    if isinstance(value, str):
        return value
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"


def faults_of(rule: Rule, names: Iterable[str]) -> list[tuple[str, str]]:
    """(field, what is wrong with it) of everything but the condition; `names` may be shown."""
    unknown = [each for each in placeholders(rule.words) if each not in set(names)]
    checks: list[tuple[str, bool, str]] = [
        ("name", bool(_NAME.fullmatch(rule.name)), "expected a-z, 0-9, - and _, at most 64"),
        ("code", bool(_CODE.fullmatch(rule.code)), "expected a-z, 0-9 and _, at most 64"),
        ("words", bool(rule.words.strip()), "expected a sentence"),
        ("words", not unknown, f"{{{', '.join(unknown)}}} names nothing that a rule can see"),
        ("action", rule.action in ACTIONS, f"expected one of {', '.join(ACTIONS)}"),
        ("severity", rule.severity in SEVERITIES, f"expected one of {', '.join(SEVERITIES)}"),
        ("owner", bool(rule.owner.strip()), "expected who answers for the rule"),
        ("share", 0 <= rule.share <= WHOLE, f"expected 0 to {WHOLE} basis points"),
        ("points", abs(rule.points) <= MOST_POINTS, f"expected -{MOST_POINTS} to {MOST_POINTS}"),
        (
            "points",
            (rule.points != 0) == (rule.action == "adjust"),
            "are hundredths of the score, for the action adjust and for no other",
        ),
    ]
    return [(name, text) for name, holds, text in checks if not holds]
