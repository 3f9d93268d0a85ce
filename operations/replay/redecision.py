"""Re-decision: one recorded decision, decided again from its record and from the log.

What a decision recorded is the input of what it recorded later: a feature that was altered changes
the score, and the score the outcome. Each difference is told once, at its root: where the recorded
input does not give what was recorded and the input that the log gives does, the input differs, and
what follows from it does not.
"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from itertools import product

from commands.policy.past import PastPolicies
from commands.ports import ModelScorer
from domain.errors import SettingsError
from domain.events import Exploration, Outcome, Thresholds, TransactionScored
from domain.features import FeatureSet
from domain.policy.exploration import LETS_PASS, judged
from domain.policy.fallback import fallback
from domain.policy.rules.ruling import Ruling
from domain.policy.score import Score
from domain.policy.snapshot import PolicySnapshot
from domain.policy.suppressions import suppression_of
from domain.policy.verdict import MOST_REASONS, Verdict, explored, verdict_of
from domain.transactions import Transaction
from operations.replay.decided import Decided
from operations.replay.differences import Cause, Difference
from operations.replay.models import PastModels
from operations.replay.rules_again import RulesAgain

Vector = list[float | None]


@dataclass(frozen=True, slots=True)
class Recomputed:
    """What the log gives for one decision.

    `features` is the set that it was served, None where this version does not know it; `vector`
    its values at the recorded versions, None where they cannot be computed. `missing` names events
    that the decision was served and the log has not.
    """

    features: FeatureSet | None
    vector: Vector | None
    missing: Sequence[str] = ()


class Redecision:
    """Of one decision. What it raises: UnavailableError where log or model server is away."""

    def __init__(
        self, decided: Decided, again: Recomputed, past: PastPolicies, models: PastModels
    ) -> None:
        self._decided, self._again, self._past, self._models = decided, again, past, models
        self._data = decided.data
        self._policy = past.of(self._data.policy_version)
        self._found: list[Difference] = []

    def differences(self) -> list[Difference]:
        """Empty where all is as it was recorded."""
        self._events()
        self._features()
        chosen, scorer = self._model()
        thresholds = chosen.thresholds_for(self._data.path)
        if thresholds != self._data.thresholds:
            both = astuple(self._data.thresholds), astuple(thresholds)
            self._tell("thresholds", "review, step-up, decline", *both)
        scores = self._scores(scorer)
        again = RulesAgain(self._past, self._policy, self._data, self._tell)
        rulings = again.rulings(self._inputs(scores), self._again.features)
        self._verdict(scores, rulings, (self._data.thresholds, thresholds), scorer)
        self._suppression()
        return self._found

    def _tell(self, cause: Cause, what: str, recorded: object, replayed: object) -> None:
        name, place = self._data.transaction.transaction_id, self._decided.position
        self._found.append(Difference(cause, name, place, what, _text(recorded), _text(replayed)))

    def _events(self) -> None:
        if self._differing() or self._again.vector is None:
            # An event before all windows is not read, and changes nothing.
            for each in self._again.missing:
                self._tell("event", "was served", each, "not in the log")
        submission = self._decided.submission
        if submission is None:
            self._tell("event", "submission", self._data.digest, "not in the log")
            return
        if submission.digest != self._data.digest:
            self._tell("event", "digest", self._data.digest, submission.digest)
        mine, theirs = self._data.transaction, submission.transaction
        for name in Transaction.__slots__:
            recorded, replayed = getattr(mine, name), getattr(theirs, name)
            if recorded != replayed:
                self._tell("event", f"transaction.{name}", recorded, replayed)

    def _features(self) -> None:
        features = self._again.features
        if features is None:
            self._tell("code", "feature set", self._data.feature_set, "unknown to this version")
        elif len(self._data.features) != len(features):
            self._tell("feature", "values", len(self._data.features), len(features))
        elif not self._again.missing:
            for name, mine, theirs in self._differing():
                self._tell("feature", name, mine, theirs)

    def _differing(self) -> list[tuple[str, float | None, float | None]]:
        """(feature, recorded, recomputed) of those that are not the same bits."""
        features, vector = self._again.features, self._again.vector
        if features is None or vector is None or len(self._data.features) != len(features):
            return []
        both = zip(features.names, self._data.features, vector, strict=True)
        return [each for each in both if _text(each[1]) != _text(each[2])]

    def _model(self) -> tuple[PolicySnapshot, ModelScorer | None]:
        """The policy that decided, and the model that did, as far as it can be had."""
        data, policy = self._data, self._policy
        if policy.version != data.policy_version:
            self._tell("event", "policy version", data.policy_version, policy.version)
        if data.path != "full":
            if "no_model" in data.flags and policy.model is not None:
                self._tell("model", "model", "none", policy.model.model_id)
            # Rules never decide by a challenger's thresholds.
            return policy, None
        # What a challenger cannot score, the model in force does.
        allowed = (policy.of(data.transaction.transaction_id), policy)
        chosen = next((p for p in allowed if _hash(p) == data.model_hash), None)
        if chosen is None:
            chosen = allowed[0]
            asked = chosen.model.model_id if chosen.model else "none"
            mine = f"{data.model_id} ({data.model_hash[:12]})"
            self._tell("model", "model", mine, f"{asked} ({_hash(chosen)[:12]})")
        for model_hash in dict.fromkeys((data.model_hash, _hash(chosen))):
            loaded = self._models.of(model_hash) if model_hash else "none"
            if not isinstance(loaded, str):
                return chosen, loaded
        if not self._of("model"):
            self._tell("model", "artefact", data.model_id, loaded)
        return chosen, None

    def _vectors(self) -> list[Vector]:
        """The recorded one, and the log's where it is another."""
        data, again = self._data, self._again
        if again.vector is None or again.features is None:
            return [data.features]
        mine = [data.features] if len(data.features) == len(again.features) else []
        return mine if mine and not self._of("feature") else [*mine, again.vector]

    def _of(self, cause: Cause) -> bool:
        return any(each.cause == cause for each in self._found)

    def _transactions(self) -> list[Transaction]:
        submission = self._decided.submission
        others = [submission.transaction] if submission and self._of("event") else []
        return [self._data.transaction, *others]

    def _inputs(self, scores: list[Score]) -> list[tuple[Transaction, Vector, float]]:
        """What rules may have seen, the record first."""
        values = list(dict.fromkeys([self._data.score, *(each.value for each in scores)]))
        return list(product(self._transactions(), self._vectors(), values))

    def _scores(self, scorer: ModelScorer | None) -> list[Score]:
        """What may have been scored: the recorded value first, with the reasons it has."""
        data, features = self._data, self._again.features
        if data.path != "full":
            made = [fallback(each) for each in self._transactions()]
        elif scorer is None or features is None:
            return [self._recorded_score()]
        else:
            try:
                places = scorer.inputs.places(features)
            except SettingsError as error:
                self._tell("model", "features", data.feature_set, str(error))
                return [self._recorded_score()]
            made = [
                scorer.score(data.transaction, [vector[place] for place in places])
                for vector in self._vectors()
            ]
        same = [each for each in made if each.value == data.score]
        if same:
            return same
        other_machine = scorer is not None and scorer.fingerprint != data.fingerprint
        cause: Cause = "code" if data.path != "full" else "runtime" if other_machine else "model"
        self._tell(cause, "score", data.score, made[0].value)
        return [*(Score(data.score, each.reasons) for each in made), *made]

    def _recorded_score(self) -> Score:
        codes = [code for code in self._data.reasons if code.startswith("model.")]
        return Score(self._data.score, codes)

    def _verdict(
        self,
        scores: list[Score],
        rulings: list[Ruling | None],
        thresholds: tuple[Thresholds, Thresholds],
        scorer: ModelScorer | None,
    ) -> None:
        data = self._data
        recorded: tuple[Outcome, list[str]] = (data.outcome, data.reasons)
        first: tuple[Outcome, list[str]] | None = None
        others: list[Exploration | None] = []
        for score, by_rules, least in product(scores, rulings, dict.fromkeys(thresholds)):
            plain = verdict_of(score, least, data.path, data.flags, by_rules)
            made = self._explored(plain, by_rules)
            if (made.outcome, made.reasons) == recorded and made.exploration == data.exploration:
                return
            first = first or (made.outcome, made.reasons)
            if _follows(data, plain):
                others.append(made.exploration)
        assert first is not None
        if others and others[0] != data.exploration:
            # Before exploration the verdict is as it was recorded.
            self._tell("exploration", "explored", data.exploration, others[0])
            return
        other_machine = scorer is not None and scorer.fingerprint != data.fingerprint
        for name, mine, theirs in zip(("outcome", "reasons"), recorded, first, strict=True):
            if mine != theirs:
                # The reasons of a model are sums of floats, as its score is.
                of_machine = other_machine and name == "reasons"
                self._tell("runtime" if of_machine else "code", name, mine, theirs)

    def _explored(self, made: Verdict, by_rules: Ruling | None) -> Verdict:
        arm, data = self._policy.exploration, self._data
        if arm is None:
            return made
        name = data.transaction.transaction_id
        return explored(made, arm, name, data.path, data.flags, by_rules)

    def _suppression(self) -> None:
        data, policy = self._data, self._policy
        silenced = suppression_of(data, policy.suppressions, policy.rules)
        # It follows from the outcome and the rules: where these differ, that is told.
        if silenced != data.suppressed_by and not self._found:
            self._tell(
                "suppression", "suppressed by", data.suppressed_by or "none", silenced or "none"
            )


def _follows(data: TransactionScored, plain: Verdict) -> bool:
    """Whether a verdict before exploration gives the record, with the exploration recorded."""
    told = data.exploration
    if judged(data.outcome, told) != plain.outcome:
        return False
    if told is None or not told.explored:
        return data.reasons == plain.reasons
    passed = [LETS_PASS, *plain.reasons][:MOST_REASONS]
    return data.outcome == "approve" and data.reasons == passed


def _hash(policy: PolicySnapshot) -> str:
    return policy.model.model_hash if policy.model else ""


def _text(value: object) -> str:
    """Every bit of a number; nothing is `unknown`."""
    if value is None:
        return "unknown"
    if isinstance(value, list | tuple):
        return ", ".join(map(_text, value))
    return value if isinstance(value, str) else repr(value)
