"""Replay of a model's own decisions: from what each recorded, and from replayed features."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from commands.ports import CompiledRules, ModelScorer
from domain.events import RulesApplied, TransactionScored
from domain.features import CATALOGUE
from domain.policy.lists.published import Lists
from domain.policy.rules.ruling import RuleSet, Ruling
from domain.policy.verdict import verdict_of
from domain.rule_values import apply_rules, known_values, listed_values
from inference.frame.frame import Floats
from projections.replay.dataset import Dataset


@dataclass(slots=True)
class DecisionReplay:
    """Counts of one model's decisions.

    `compared` have the fingerprint of this machine's scorer and the features of this version: equal
    bits are promised for those alone. Of them `record_differs` give another score, outcome,
    reasons or rules when decided again from their own record, and `replay_differs` another score
    in the replay; `served_otherwise` of these were served another vector than the ideal one.
    """

    decisions: int = 0
    compared: int = 0
    record_differs: int = 0
    replay_differs: int = 0
    served_otherwise: int = 0

    @property
    def differ(self) -> bool:
        """True where a bit is not as promised; features that were served late break no promise."""
        return self.record_differs > 0 or self.replay_differs > self.served_otherwise


RulesOf = Callable[[int], tuple[RuleSet, CompiledRules] | None]
"""The rule set of a version, None where it is not in the log or this version does not take it."""

ListsOf = Callable[[int], Lists]
"""All lists as of an offset of the policy."""


def replay_decisions(
    decisions: Iterable[TransactionScored],
    scorer: ModelScorer,
    history: Dataset,
    scores: Floats,
    rules_of: RulesOf,
    lists_of: ListsOf,
) -> DecisionReplay:
    """Replays the decisions of the scorer's model about transactions in `history`.

    `scores` [transactions] are those of the backtest, in the order of `history`. Rules are
    evaluated again over what each decision recorded, and over the lists of the versions it names.
    """
    numbers = {name: number for number, name in enumerate(history.transaction_ids.tolist())}
    places = scorer.inputs.places(CATALOGUE)
    counted = DecisionReplay()
    for each in decisions:
        number = numbers.get(each.transaction.transaction_id)
        if number is None or each.model_hash != scorer.model_hash or each.path != "full":
            continue
        counted.decisions += 1
        if each.fingerprint != scorer.fingerprint or each.feature_set != CATALOGUE.hash:
            continue
        counted.compared += 1
        served = [each.features[place] for place in places]
        counted.record_differs += not _as_recorded(each, scorer, served, rules_of, lists_of)
        if each.score != scores[number]:
            counted.replay_differs += 1
            ideal = history.values[number, places]
            vector = np.array(served, dtype=np.float64)  # None becomes NaN
            counted.served_otherwise += not np.array_equal(vector, ideal, equal_nan=True)
    return counted


def _as_recorded(
    decision: TransactionScored,
    scorer: ModelScorer,
    served: list[float | None],
    rules_of: RulesOf,
    lists_of: ListsOf,
) -> bool:
    score = scorer.score(decision.transaction, served)
    ruling, applied = None, None
    if decision.rules is not None:
        found = rules_of(decision.rules.version)
        if found is None:
            return False
        # One snapshot had all of them, so that the latest names it.
        lists = lists_of(max(decision.rules.lists.values(), default=-1))
        ruling, applied = _ruled(decision, score.value, *found, lists)
    verdict = verdict_of(score, decision.thresholds, decision.path, decision.flags, ruling)
    replayed = (score.value, verdict.outcome, verdict.reasons, applied)
    return replayed == (decision.score, decision.outcome, decision.reasons, decision.rules)


def _ruled(
    decision: TransactionScored, score: float, rule_set: RuleSet, rules: CompiledRules, lists: Lists
) -> tuple[Ruling, RulesApplied]:
    transaction = decision.transaction
    known = known_values(
        rules.names, transaction, CATALOGUE, decision.features, decision.flags, decision.path, score
    )
    name = transaction.transaction_id
    listed = listed_values(rules.names, rule_set.lists, lists, transaction)
    return apply_rules(rule_set, rules.truths, known, decision.flags, name, score, listed)
