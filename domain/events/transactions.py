"""Events about one transaction; all are in one topic, keyed by transaction id."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Literal, Self

from domain.events.registry import Event, event
from domain.events.rules import RulesApplied
from domain.records import record, records_of
from domain.transactions import Transaction

Outcome = Literal["approve", "review", "step_up", "decline"]
Path = Literal["full", "fallback", "deadline"]
LabelKind = Literal[
    "fraud_report", "chargeback", "representment", "reversal", "genuine", "disposition"
]
Mode = Literal["score", "submit"]
StepUpResult = Literal["passed", "failed", "abandoned"]


@event("fraud.transaction.submitted")
@record(frozen=True, slots=True, kw_only=True)
class TransactionSubmitted(Event):
    """A transaction was submitted for a decision.

    `digest` is the keyed digest over the cleaned command: equal ids with other digests are in
    conflict. `mode` tells who decides: `score` is decided by the process that took it, `submit` by
    the scoring agent. `raw` is the payload as received, card numbers replaced by their tokens.
    """

    transaction: Transaction
    digest: str
    mode: Mode
    raw: str | None = None


@event("fraud.transaction.imported")
@record(frozen=True, slots=True, kw_only=True)
class TransactionImported(Event):
    """A past transaction was imported as history: folded and projected, not decided."""

    transaction: Transaction
    digest: str
    origin: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Least scores, in [0, 1], at which a transaction is reviewed, stepped up and declined."""

    review: float
    step_up: float
    decline: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Exploration:
    """A payment that would have been declined came under the exploration of the policy: it was let
    pass where `explored`, for which the chance was `share` basis points."""

    share: int
    explored: bool


@event("fraud.transaction.scored")
@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionScored(Event):
    """A transaction was decided; holds all that the decision depended on.

    `features` is the vector as served, in the order of the catalogue whose hash is
    `feature_set`; None is an unknown value. `versions` is the compact text of what each state
    that was read held, by entity (see `domain.features.versions`). `timings_us` is time spent per
    step. `rules` is what the published rules did, None where there were none. `suppressed_by` names
    the suppression that silences its alert, None where none does or there is no alert.
    `exploration` is None where the policy explores nothing, or could not have explored this one.
    """

    transaction: Transaction
    digest: str
    score: float
    outcome: Outcome
    reasons: list[str]
    path: Path
    flags: list[str]
    feature_set: str
    features: list[float | None]
    versions: dict[str, str]
    model_id: str
    model_hash: str
    policy_version: int
    thresholds: Thresholds
    fingerprint: str
    timings_us: dict[str, int] = field(default_factory=dict)
    rules: RulesApplied | None = None
    suppressed_by: str | None = None
    exploration: Exploration | None = None


@event("fraud.transaction.labelled")
@record(frozen=True, slots=True, kw_only=True)
class TransactionLabelled(Event):
    """A report says whether a transaction was fraud; a later label replaces an earlier one.

    `value` is 1 for fraud and 0 for confirmed genuine. The entity keys, amount and time are
    copied from the transaction so that features need no join.
    """

    transaction_id: str
    value: int
    kind: LabelKind
    reporter: str
    reference: str
    transaction_time: int
    base_amount: int
    card_id: str | None = None
    customer_id: str | None = None
    merchant_id: str | None = None
    device_id: str | None = None
    ip: str | None = None

    @classmethod
    def of(
        cls, x: Transaction, *, value: int, kind: LabelKind, reporter: str, reference: str
    ) -> Self:
        one = cls.of_all([x], [value], [kind], [reporter], [reference])
        return one[0]

    @classmethod
    def of_all(
        cls,
        transactions: Sequence[Transaction],
        values: Iterable[int],
        kinds: Iterable[LabelKind],
        reporters: Iterable[str],
        references: Iterable[str],
    ) -> list[Self]:
        copied = {name: map(attrgetter(name), transactions) for name in _COPIED}
        return records_of(
            cls,
            value=values,
            kind=kinds,
            reporter=reporters,
            reference=references,
            transaction_time=map(attrgetter("timestamp"), transactions),
            **copied,
        )


_COPIED = (
    "transaction_id", "base_amount", "card_id", "customer_id", "merchant_id", "device_id", "ip",
)  # fmt: skip


@event("fraud.transaction.step-up-concluded")
@dataclass(frozen=True, slots=True, kw_only=True)
class StepUpConcluded(Event):
    """Whoever pays was asked to prove it, by a decision of step_up, and that came to an end.

    The first that follows the decision counts, and decides the payment. `reference` is the
    reporter's own. The entity keys, amount and time are copied from the transaction, as a label's.
    """

    transaction_id: str
    result: StepUpResult
    reporter: str
    transaction_time: int
    base_amount: int
    reference: str | None = None
    card_id: str | None = None
    customer_id: str | None = None
    merchant_id: str | None = None
    device_id: str | None = None
    ip: str | None = None

    @classmethod
    def of(
        cls, x: Transaction, *, result: StepUpResult, reporter: str, reference: str | None
    ) -> Self:
        copied = {name: getattr(x, name) for name in _COPIED}
        return cls(
            result=result,
            reporter=reporter,
            reference=reference,
            transaction_time=x.timestamp,
            **copied,
        )
