"""Small events for tests: every field that a test does not name has a plain value."""

from dataclasses import replace
from hashlib import sha256
from typing import Any

from domain.events import (
    Envelope,
    ModelPromoted,
    ModelRolledOut,
    StepUpConcluded,
    StepUpResult,
    Thresholds,
    TransactionImported,
    TransactionLabelled,
    TransactionScored,
    TransactionSubmitted,
    label_event_id,
    transaction_event_id,
)
from domain.transactions import Transaction

NOW = 1_700_000_000_000_000


def transaction(transaction_id: str = "t-1", **fields: Any) -> Transaction:
    given: dict[str, Any] = {
        "timestamp": NOW,
        "amount": 1250,
        "currency": "EUR",
        "base_amount": 1250,
    }
    return Transaction(transaction_id=transaction_id, **(given | fields))


def submitted(transaction_id: str = "t-1", digest: str = "d", **fields: Any) -> Envelope:
    data = TransactionSubmitted(
        transaction=transaction(transaction_id),
        digest=digest,
        mode=fields.pop("mode", "score"),
        raw=fields.pop("raw", None),
    )
    return _about(transaction_id, data, fields)


def imported(transaction_id: str = "t-1", digest: str = "d", **fields: Any) -> Envelope:
    data = TransactionImported(
        transaction=transaction(transaction_id), digest=digest, origin="file.csv", line=2
    )
    return _about(transaction_id, data, fields)


def scored(transaction_id: str = "t-1", digest: str = "d", **fields: Any) -> Envelope:
    data = TransactionScored(
        transaction=transaction(transaction_id),
        digest=digest,
        score=0.25,
        outcome=fields.pop("outcome", "approve"),
        reasons=["score_below_review"],
        path="full",
        flags=[],
        feature_set="f" * 16,
        features=[1.0, None, 0.5],
        versions={"card:c-1": "0:17"},
        model_id="m-1",
        model_hash="a" * 64,
        policy_version=3,
        thresholds=Thresholds(review=0.6, step_up=0.8, decline=0.95),
        fingerprint="litert/1",
        timings_us={"features": 400},
    )
    return _about(transaction_id, data, fields)


def decision_on(given: Transaction, number: int) -> Envelope:
    """Of one like it, a microsecond earlier."""
    fact = scored(f"t-{number}")
    data = replace(fact.data, transaction=given)
    return replace(fact, data=data, time=given.timestamp - 1)


def labelled(
    transaction_id: str = "t-1", reference: str = "r-1", value: int = 1, **fields: Any
) -> Envelope:
    data = TransactionLabelled(
        transaction_id=transaction_id,
        value=value,
        kind="chargeback" if value else "genuine",
        reporter="bank",
        reference=reference,
        transaction_time=NOW,
        base_amount=1250,
    )
    fields.setdefault("id", label_event_id(TransactionLabelled, transaction_id, "bank", reference))
    return _about(transaction_id, data, fields)


def concluded(
    transaction_id: str = "t-1", result: StepUpResult = "passed", **fields: Any
) -> Envelope:
    data = StepUpConcluded(
        transaction_id=transaction_id,
        result=result,
        reporter="3ds",
        transaction_time=NOW,
        base_amount=1250,
    )
    return _about(transaction_id, data, fields)


def promoted(model_id: str = "m-1", **fields: Any) -> Envelope:
    named: dict[str, Any] = {
        "model_id": model_id,
        "model_hash": model_hash(model_id),
        "feature_set": "f" * 16,
    }
    return _about(model_id, ModelPromoted(**(named | fields)), {"id": f"promotion/{model_id}"})


def rolled_out(model_id: str, share: int, **fields: Any) -> Envelope:
    named: dict[str, Any] = {
        "model_id": model_id,
        "model_hash": model_hash(model_id),
        "feature_set": "f" * 16,
    }
    judged = {"thresholds": Thresholds(review=0.3, step_up=0.4, decline=0.45), "share": share}
    data = ModelRolledOut(**(named | judged | fields))
    return _about(model_id, data, {"id": f"roll-out/{model_id}/{share}"})


def model_hash(model_id: str) -> str:
    return sha256(model_id.encode()).hexdigest()


def _about(subject: str, data: Any, fields: dict[str, Any]) -> Envelope:
    given: dict[str, Any] = {
        "id": transaction_event_id(type(data), subject),
        "source": "tests",
        "subject": subject,
        "time": NOW,
        "known_time": NOW,
        "correlation_id": subject,
    }
    return Envelope(data=data, **(given | fields))
