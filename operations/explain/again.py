"""The decision, taken again with other input: by the model, rules and thresholds that took it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from commands.policy.past import PastPolicies
from commands.ports import CompiledRules, ModelScorer
from domain.errors import SettingsError
from domain.events import Outcome, RulesApplied, TransactionScored
from domain.features import FeatureSet
from domain.policy.fallback import fallback
from domain.policy.lists.published import Lists
from domain.policy.rules.rule_set import sentences_of
from domain.policy.rules.ruling import RuleSet, Ruling
from domain.policy.score import Score
from domain.policy.snapshot import PolicySnapshot
from domain.policy.verdict import verdict_of
from domain.rule_values import Listed, apply_rules, known_values, listed_values
from domain.transactions import Transaction
from domain.wording import sentences
from operations.replay.models import PastModels

Vector = list[float | None]


@dataclass(frozen=True, slots=True)
class Trial:
    """One decision that was taken again; `reasons` are by code, in words."""

    score: float
    outcome: Outcome
    reasons: dict[str, str]
    rules: RulesApplied | None


class Again:
    """Takes one recorded decision again. `trouble` says why it cannot be, else is empty.

    Flags, path, model, thresholds and rules are those that were recorded; what it is given are the
    transaction, its features and the lists.
    """

    def __init__(
        self, data: TransactionScored, features: FeatureSet, past: PastPolicies, models: PastModels
    ) -> None:
        self._data, self._features = data, features
        self.policy: PolicySnapshot = past.of(data.policy_version)
        self.trouble = ""
        self.scorer, self._places = self._model(models)
        self.rule_set = self._rule_set(past)
        self.rules: CompiledRules | None = None
        if self.rule_set is not None:
            self.rules = past.compiled(self.rule_set)
            if self.rules is None:
                self.trouble = f"rules of version {self.rule_set.version} are refused by this one"

    def _model(self, models: PastModels) -> tuple[ModelScorer | None, Sequence[int]]:
        if self._data.path != "full":
            return None, ()
        found = models.of(self._data.model_hash)
        if isinstance(found, str):
            self.trouble = f"model {self._data.model_id}: {found}"
            return None, ()
        try:
            return found, found.inputs.places(self._features)
        except SettingsError as error:
            self.trouble = str(error)
            return found, ()

    def _rule_set(self, past: PastPolicies) -> RuleSet | None:
        recorded = self._data.rules
        if recorded is None:
            return None
        in_force = self.policy.rules
        if in_force is None or in_force.version != recorded.version:
            in_force = past.of(recorded.version).rules
        if in_force is None or in_force.version != recorded.version:
            self.trouble = f"rules of version {recorded.version} are not in the log"
        return in_force

    def inputs(self, vector: Vector) -> Vector:
        """The model's own values."""
        return [vector[place] for place in self._places]

    def seen(self, transaction: Transaction, vector: Vector, score: float) -> dict[str, object]:
        """By name what rules could see."""
        assert self.rules is not None
        names, data = self.rules.names, self._data
        known = known_values(
            names, transaction, self._features, vector, data.flags, data.path, score
        )
        listed = self._listed(transaction, self.policy.lists)
        return {**known, **listed.values, **listed.entries}

    def outcome(self, transaction: Transaction, vector: Vector, lists: Lists) -> Outcome:
        """As `take`, without what only people need: a search asks some hundred times."""
        if self._data.path != "full":
            return self._verdict(fallback(transaction), transaction, vector, lists).outcome
        assert self.scorer is not None
        score = Score(self.scorer.value(self.inputs(vector)), [])
        return self._verdict(score, transaction, vector, lists).outcome

    def take(self, transaction: Transaction, vector: Vector, lists: Lists) -> Trial:
        """Raises UnavailableError of a model server."""
        if self._data.path != "full":
            return self._verdict(fallback(transaction), transaction, vector, lists)
        assert self.scorer is not None
        score = self.scorer.score(transaction, self.inputs(vector))
        return self._verdict(score, transaction, vector, lists)

    def _verdict(
        self, score: Score, transaction: Transaction, vector: Vector, lists: Lists
    ) -> Trial:
        data = self._data
        ruled = self._ruled(transaction, vector, score.value, lists)
        by_rules, applied = ruled or (None, None)
        made = verdict_of(score, data.thresholds, data.path, data.flags, by_rules)
        told = sentences(made.reasons, sentences_of(applied))
        return Trial(score.value, made.outcome, told, applied)

    def _ruled(
        self, transaction: Transaction, vector: Vector, score: float, lists: Lists
    ) -> tuple[Ruling, RulesApplied] | None:
        if self.rule_set is None or self.rules is None:
            return None
        data = self._data
        known = known_values(
            self.rules.names, transaction, self._features, vector, data.flags, data.path, score
        )
        listed = self._listed(transaction, lists)
        name = transaction.transaction_id
        return apply_rules(self.rule_set, self.rules.truths, known, data.flags, name, score, listed)

    def _listed(self, transaction: Transaction, lists: Lists) -> Listed:
        assert self.rule_set is not None
        assert self.rules is not None
        return listed_values(self.rules.names, self.rule_set.lists, lists, transaction)
