"""Events of the POLICY topic: models, thresholds, feature sets; the offset is the version.

And of the BACKTESTS topic: that policies were tried on the past, and what they said.
"""

from dataclasses import dataclass, field
from typing import Literal

from domain.events.lists import DeclaredList, ListEntry
from domain.events.registry import Event, event
from domain.events.routes import Route, RoutesPublished
from domain.events.rules import Rule, RulesPublished
from domain.events.suppressions import Suppression, SuppressionsPublished
from domain.events.transactions import Thresholds


@event("fraud.model.trained")
@dataclass(frozen=True, slots=True, kw_only=True)
class ModelTrained(Event):
    """A model was trained. `model_hash` is the SHA-256 of its artefact; the policy does not change.

    It learnt from `transactions`, `frauds` of them labelled so, as known at `as_known_at`
    (microseconds UTC); `average_precision` was measured on the latest part before it learnt that.
    `features` is its signature: each feature that it takes, with the beginning of the SHA-256 of
    its definition (empty in facts of before there were signatures).
    """

    model_id: str
    model_hash: str
    feature_set: str
    as_known_at: int
    transactions: int
    frauds: int
    average_precision: float
    features: dict[str, str] = field(default_factory=dict)


@event("fraud.model.promoted")
@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPromoted(Event):
    """From this position on, `model_id` scores. `model_hash` is the SHA-256 of its artefact.

    `thresholds` apply from here on (None keeps the present ones). `took_back` marks a rollback,
    which undoes the promotion of the model before it: see
    `domain.policy.snapshot.PolicySnapshot.before`. A roll-out ends here.
    """

    model_id: str
    model_hash: str
    feature_set: str
    thresholds: Thresholds | None = None
    took_back: bool = False


@event("fraud.model.rolled-out")
@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRolledOut(Event):
    """From this position on, `model_id` decides `share` basis points (0 to 10,000) of traffic.

    Which ones: domain.policy.rollout. `thresholds` apply to its scores. It ends with the next
    roll-out (also one of share 0), with any promotion, and when the model is retired.
    """

    model_id: str
    model_hash: str
    feature_set: str
    share: int
    thresholds: Thresholds


@event("fraud.model.shadowed")
@dataclass(frozen=True, slots=True, kw_only=True)
class ModelShadowed(Event):
    """From this position on, `model_id` scores what others decide, and decides nothing itself.

    `seam` is an offset per partition of the transactions: from it on, decisions are scored from the
    vector that they were served. With `since` (event time, microseconds UTC), what lies below it
    is scored from replayed history, and nothing of an earlier time is. `thresholds` say what it
    would have decided. It takes the place of an earlier shadow of the same model.
    """

    model_id: str
    model_hash: str
    feature_set: str
    thresholds: Thresholds
    seam: list[int]
    since: int | None = None


@event("fraud.shadow.ended")
@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowEnded(Event):
    """The shadow of `model_hash` scores what lies below `until`, an offset per partition."""

    model_id: str
    model_hash: str
    until: list[int]


@event("fraud.model.retired")
@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRetired(Event):
    """From this position on, `model_hash` is not to be promoted again; it replays as ever."""

    model_id: str
    model_hash: str
    reason: str


@event("fraud.features.activated")
@dataclass(frozen=True, slots=True, kw_only=True)
class FeaturesActivated(Event):
    """From about this position on, features are served from `generation` of the online states.

    `declarations` is the text of the feature set (domain.features.FeatureSet.from_json), whose hash
    is `feature_set`: so every recorded vector can be computed again. Which set a decision was
    served with, the decision says itself.
    """

    generation: int
    feature_set: str
    declarations: str
    reason: str


@event("fraud.keys.named")
@dataclass(frozen=True, slots=True, kw_only=True)
class KeysNamed(Event):
    """The secret keys of the processes that write this log, by fingerprints that do not tell them.

    The first fact that names a key binds all processes. `replaced` says that another is accepted
    from here on: equal cards then have other tokens, and equal submissions other digests.
    """

    fingerprints: dict[str, str]
    replaced: bool = False


@event("fraud.thresholds.set")
@dataclass(frozen=True, slots=True, kw_only=True)
class ThresholdsSet(Event):
    """From this position on, these thresholds apply."""

    thresholds: Thresholds
    reason: str


@event("fraud.thresholds.published")
@dataclass(frozen=True, slots=True, kw_only=True)
class ThresholdsPublished(Event):
    """From this position on, these apply to the scores of every model, whatever came with it.

    None withdraws them: each model's own count again. Fallback rules keep theirs. `took_back` is
    the offset of the earlier fact that is in force again, None where it was published from files.
    """

    thresholds: Thresholds | None
    reason: str
    took_back: int | None = None


@event("fraud.exploration.published")
@dataclass(frozen=True, slots=True, kw_only=True)
class ExplorationPublished(Event):
    """From this position on, `share` basis points (0 to 10,000) of payments that would be declined
    are let pass, to learn what they are; 0 ends it.

    Which ones: domain.policy.exploration, by a hash of the id and of `salt`, which nobody who
    chooses ids is to know. `took_back` as in ThresholdsPublished.
    """

    share: int
    salt: str
    reason: str
    took_back: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyContent:
    """What a folder of the policy says, checked and cleaned.

    `keys` are those that its files have: nothing is said of others. `entries` are by name of those
    lists that take their entries from the folder. `exploration` is a share in basis points.
    `features` is the text (domain.features.FeatureSet.from_json) of those that are not in the
    catalogue: it can be tried on the past, and is never published.
    """

    keys: list[str]
    rules: list[Rule] = field(default_factory=list)
    lists: list[DeclaredList] = field(default_factory=list)
    routes: list[Route] = field(default_factory=list)
    thresholds: Thresholds | None = None
    suppressions: list[Suppression] = field(default_factory=list)
    entries: dict[str, list[ListEntry]] = field(default_factory=dict)
    exploration: int = 0
    features: str = ""


SetPublished = (
    RulesPublished
    | ThresholdsPublished
    | ExplorationPublished
    | RoutesPublished
    | SuppressionsPublished
)
"""One set of the policy, published as a whole."""


@event("fraud.policy.published")
@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyPublished(Event):
    """Several sets come into force at one position, so that no decision sees one without the
    others. Each is as if it had been published there by itself; None is not published."""

    rules: RulesPublished | None = None
    thresholds: ThresholdsPublished | None = None
    exploration: ExplorationPublished | None = None
    routes: RoutesPublished | None = None
    suppressions: SuppressionsPublished | None = None

    def sets(self) -> list[SetPublished]:
        every = self.rules, self.thresholds, self.exploration, self.routes, self.suppressions
        return [each for each in every if each is not None]


@event("fraud.policy.drafted")
@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyDrafted(Event):
    """A policy is proposed under a name; nothing of it is in force until it is published.

    A later draft of the name takes its place. `by` is who proposes it.
    """

    name: str
    content: PolicyContent
    reason: str
    by: str


@event("fraud.backtest.policy-kept")
@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestPolicyKept(Event):
    """A part of what a folder said that was tried, cleaned as a draft of a policy is.

    All `parts` together are JSON of a policy's content, whose SHA-256 is `content_hash`.
    """

    content_hash: str
    part: int
    parts: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TriedPolicy:
    """The name that a policy had in a report, and the hash of what it said."""

    name: str
    content_hash: str


@event("fraud.backtest.completed")
@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestCompleted(Event):
    """Policies were tried on the past; the same again gives the bytes of `report_hash`.

    Transactions with `begin` <= event time < `end` were decided, with labels as known at
    `known_at`, all in microseconds UTC. `positions` are offsets per partition of `topic` before
    which the log was read. Without a `baseline` it was the live policy, of `policy_version`, an
    offset. `model` is the hash that was named for the candidates, or nothing; `models` are all that
    scored. `closed_loop` says whom known fraud stopped in it, or nothing. `features` of what was
    decided live were the ideal ones, or those that it was served.
    `seed` is that of the intervals. `code`, `catalogue` and `fingerprint` are what decided:
    a digest of the source, one of the features, and what computed the scores. `report_hash` is
    SHA-256 of report.json.
    """

    backtest_id: str
    begin: int
    end: int
    known_at: int
    topic: str
    positions: list[int]
    policy_version: int
    candidates: list[TriedPolicy]
    baseline: TriedPolicy | None = None
    model: str = ""
    models: list[str] = field(default_factory=list)
    sweep: str = ""
    closed_loop: str = ""
    features: Literal["ideal", "served"] = "ideal"
    case_minutes: float
    seed: int
    code: str
    catalogue: str
    fingerprint: str
    transactions: int
    report_hash: str
    by: str
