"""Rules of a recorded decision, evaluated again over what it recorded."""

from collections.abc import Callable, Sequence

from commands.policy.past import PastPolicies
from commands.ports import CompiledRules
from domain.events import RulesApplied, TransactionScored
from domain.features import FeatureSet
from domain.policy.lists.published import Lists
from domain.policy.rules.numbers import from_text
from domain.policy.rules.ruling import RuleSet, Ruling, Truth, ruling
from domain.policy.snapshot import PolicySnapshot
from domain.rule_values import apply_rules, known_values, listed_values
from domain.transactions import Transaction
from operations.replay.differences import Cause

Input = tuple[Transaction, list[float | None], float]
"""(transaction, vector, score) that rules may have seen."""
Tell = Callable[[Cause, str, object, object], None]
"""Takes the cause, what differs, and the recorded and the replayed value."""

_PARTS = ("fired", "shadow", "not_evaluable", "score", "words", "values")


def ruled(
    data: TransactionScored,
    given: Input,
    features: FeatureSet,
    rule_set: RuleSet,
    rules: CompiledRules,
    lists: Lists,
) -> tuple[Ruling, RulesApplied]:
    """What a set makes of a recorded decision over other inputs than it had."""
    transaction, vector, score = given
    flags, path = data.flags, data.path
    known = known_values(rules.names, transaction, features, vector, flags, path, score)
    listed = listed_values(rules.names, rule_set.lists, lists, transaction)
    name = transaction.transaction_id
    return apply_rules(rule_set, rules.truths, known, flags, name, score, listed)


class RulesAgain:
    """Of one decision, under the policy of its version."""

    def __init__(
        self, past: PastPolicies, policy: PolicySnapshot, data: TransactionScored, tell: Tell
    ) -> None:
        self._past, self._policy, self._data, self._tell = past, policy, data, tell

    def rulings(self, inputs: Sequence[Input], features: FeatureSet | None) -> list[Ruling | None]:
        """What the rules may have made of the decision; the first input is the record."""
        recorded, in_force = self._data.rules, self._policy.rules
        version = None if recorded is None else recorded.version
        asked = None if in_force is None else in_force.version
        if version != asked:
            self._tell("rule", "set", version, asked)
        if recorded is None or features is None:
            return [None]
        rule_set = self._set(recorded.version)
        rules = None if rule_set is None else self._past.compiled(rule_set)
        if rule_set is None or rules is None:
            if version == asked:
                self._tell("rule", "set", version, "refused by this version")
            return [None]
        lists = self._policy.lists
        made = [ruled(self._data, each, features, rule_set, rules, lists) for each in inputs]
        for by_rules, applied in made:
            if applied == recorded:
                return [by_rules]
        self._differences(recorded, made[0][1])
        return [_as_recorded(rule_set, recorded, self._data), *(each for each, _ in made)]

    def _set(self, version: int) -> RuleSet | None:
        in_force = self._policy.rules
        if in_force is not None and in_force.version == version:
            return in_force
        found = self._past.of(version).rules
        return found if found is not None and found.version == version else None

    def _differences(self, recorded: RulesApplied, made: RulesApplied) -> None:
        mine, theirs = _of_lists(recorded), _of_lists(made)
        if mine != theirs:
            # What the rules then do otherwise follows from it.
            self._tell("list", "versions and entries", _shown(mine), _shown(theirs))
            return
        for name in _PARTS:
            before, after = getattr(recorded, name), getattr(made, name)
            if before != after:
                both = (
                    _shown(each) if isinstance(each, dict) else each for each in (before, after)
                )
                self._tell("rule", name, *both)


def _as_recorded(rule_set: RuleSet, recorded: RulesApplied, data: TransactionScored) -> Ruling:
    truths: list[Truth] = [False] * len(rule_set.rules)
    told = [(n, True) for n in (*recorded.fired, *recorded.shadow)]
    for number, truth in (*told, *((n, None) for n in from_text(recorded.not_evaluable))):
        if number < len(truths):
            truths[number] = truth
    return ruling(rule_set, truths, data.transaction.transaction_id)


def _of_lists(applied: RulesApplied) -> dict[str, object]:
    found: dict[str, object] = dict(applied.lists)
    found |= {k: v for k, v in applied.values.items() if k.startswith("lists.")}
    return found


def _shown(values: dict[str, object]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in sorted(values.items())) or "none"
