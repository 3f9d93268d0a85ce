"""Facts for the read models, and an in-memory log that applies the first-wins rule to them."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from domain.events import (
    Envelope,
    LabelKind,
    Outcome,
    RulesApplied,
    StepUpConcluded,
    StepUpResult,
    Thresholds,
    TransactionImported,
    TransactionLabelled,
    TransactionScored,
    TransactionSubmitted,
    caused_event_id,
    label_event_id,
    transaction_event_id,
)
from domain.times import DAY, HOUR, from_rfc3339
from domain.transactions import Transaction
from eventlog.admission.first_wins import Admission
from eventlog.admission.sqlite_memory import SqliteMemory
from eventlog.port import Position
from eventlog.topics import TRANSACTIONS
from projections.ports import BatchProjection, CheckedRecord, RecordStatus

NOON = from_rfc3339("2024-03-01T12:00:00Z")
PARTITIONS = 2


def transaction(key: str, time: int = NOON, **given: Any) -> Transaction:
    fields: dict[str, Any] = {
        "transaction_id": key,
        "timestamp": time,
        "amount": 1250,
        "currency": "USD",
        "base_amount": 1150,
        "card_id": "tok_1",
        "customer_id": "anna",
        "merchant_id": "kiosk",
        "country": "DE",
        "lat": 52.52,
        "lon": 13.405,
    }
    return Transaction(**fields | given)


def envelope(data: Any, event_id: str, time: int, known: int, subject: str) -> Envelope:
    return Envelope(
        id=event_id, source="tests", subject=subject, time=time, known_time=known, data=data,
        correlation_id=subject,
    )  # fmt: skip


def submitted(x: Transaction, known: int | None = None, digest: str = "d1") -> Envelope:
    data = TransactionSubmitted(transaction=x, digest=digest, mode="score", raw='{"a": 1}')
    event_id = transaction_event_id(TransactionSubmitted, x.transaction_id)
    return envelope(data, event_id, x.timestamp, known or x.timestamp, x.transaction_id)


def imported(x: Transaction, digest: str = "d1", line: int = 1) -> Envelope:
    data = TransactionImported(transaction=x, digest=digest, origin="history.csv", line=line)
    event_id = transaction_event_id(TransactionImported, x.transaction_id)
    return envelope(data, event_id, x.timestamp, x.timestamp, x.transaction_id)


def scored(
    x: Transaction,
    outcome: Outcome = "approve",
    score: float = 0.25,
    known: int | None = None,
    digest: str = "d1",
    model_id: str = "m1",
    rules: RulesApplied | None = None,
) -> Envelope:
    data = TransactionScored(
        transaction=x,
        digest=digest,
        score=score,
        outcome=outcome,
        reasons=["high_amount", 'odd "quote", comma'],
        path="full",
        flags=[],
        feature_set="f1",
        features=[1.0, None, 0.1 + 0.2],
        versions={"card": "0:5,1:9"},
        model_id=model_id,
        model_hash="a" * 64,
        policy_version=3,
        thresholds=Thresholds(review=0.5, step_up=0.7, decline=0.9),
        fingerprint="kernel",
        timings_us={"features": 812},
        rules=rules,
    )
    event_id = transaction_event_id(TransactionScored, x.transaction_id)
    return envelope(data, event_id, x.timestamp, known or x.timestamp, x.transaction_id)


def labelled(
    key: str,
    value: int,
    known: int,
    reference: str = "r1",
    kind: LabelKind = "chargeback",
    time: int = NOON,
) -> Envelope:
    data = TransactionLabelled(
        transaction_id=key, value=value, kind=kind, reporter="bank", reference=reference,
        transaction_time=time, base_amount=1150,
    )  # fmt: skip
    event_id = label_event_id(TransactionLabelled, key, "bank", reference)
    return envelope(data, event_id, known, known, key)


def stepped_up(key: str, result: StepUpResult, known: int = NOON, time: int = NOON) -> Envelope:
    """How the step-up of a payment of `time` ended."""
    data = StepUpConcluded(
        transaction_id=key, result=result, reporter="3ds", transaction_time=time, base_amount=1150,
        card_id="tok_1", customer_id="anna", merchant_id="kiosk",
    )  # fmt: skip
    return envelope(data, transaction_event_id(StepUpConcluded, key), known, known, key)


def caused(data: Any, known: int, ordinal: int = 0) -> Envelope:
    event_id = caused_event_id("cause", type(data), ordinal)
    return envelope(data, event_id, known, known, data.transaction_id)


class CheckedLog:
    """Appends facts to partitions by their subject and keeps the status of each."""

    def __init__(self, topic: str = TRANSACTIONS.name, partitions: int = PARTITIONS) -> None:
        self._admission = Admission(SqliteMemory(None))
        self._topic = topic
        self._partitions = partitions
        self.records: dict[int, list[CheckedRecord]] = defaultdict(list)

    def append(self, *facts: Envelope) -> None:
        for fact in facts:
            partition = sum(fact.subject.encode()) % self._partitions
            position = self._next(partition)
            counts = self._admission.admit(fact, partition, position.offset)
            self._keep(position, fact, "counts" if counts else "void")

    def append_undecodable(self, partition: int) -> None:
        self._keep(self._next(partition), None, "dead")

    def admit_all(self) -> None:
        """As where a worker has lost its memory of ids: what was void counts."""
        for found in self.records.values():
            found[:] = [replace(r, status="counts") if r.envelope else r for r in found]

    def ends(self) -> list[int]:
        return [len(self.records[p]) for p in range(self._partitions)]

    def _next(self, partition: int) -> Position:
        return Position(self._topic, partition, len(self.records[partition]))

    def _keep(self, position: Position, fact: Envelope | None, status: RecordStatus) -> None:
        self.records[position.partition].append(CheckedRecord(position, fact, status))


def project_all(projection: BatchProjection, log: CheckedLog, size: int = 100) -> None:
    """As a worker does that has just started: everything from the committed positions on."""
    for partition, records in sorted(log.records.items()):
        start = projection.assign(partition)
        for batch in batches(records[start:], size):
            projection.project({partition: batch})


def batches(records: Sequence[CheckedRecord], size: int) -> list[Sequence[CheckedRecord]]:
    return [records[at : at + size] for at in range(0, len(records), size)]


def small_history() -> CheckedLog:
    """Two days of everything: decisions, labels and a reversal, voids, an id used anew."""
    log = CheckedLog()
    a, b, c = transaction("a"), transaction("b", NOON + HOUR), transaction("c", NOON + DAY)
    log.append(submitted(a), scored(a, "decline", 0.95), submitted(a), scored(a, "approve"))
    log.append(submitted(b), scored(b, digest="other"), scored(b, "review", 0.6))
    log.append(imported(c), scored(c), labelled("c", 1, NOON + 9 * DAY))
    log.append(labelled("a", 1, NOON + 8 * DAY), labelled("a", 0, NOON + 20 * DAY, "r2"))
    log.append(labelled("b", 1, NOON + 9 * DAY), labelled("b", 1, NOON + 9 * DAY))
    log.append_undecodable(0)
    again = transaction("b", NOON + 500 * DAY, merchant_id="bank", customer_id=None)
    log.append(submitted(again, digest="d2"), scored(again, "step_up", 0.75, digest="d2"))
    return log
