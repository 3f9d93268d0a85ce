"""Events of an import: transactions and labels, with the known times that it states."""

from collections.abc import Iterable
from dataclasses import dataclass

from domain.events import (
    Envelope,
    TransactionImported,
    TransactionLabelled,
    TransactionSubmitted,
    label_event_id,
    transaction_event_id,
)
from domain.transactions import Transaction
from eventlog.port import Appender
from eventlog.topics import TRANSACTIONS

REPORTER_PREFIX = "import:"
FLUSH_SECONDS = 120.0


def append_facts(log: Appender, facts: Iterable[Envelope]) -> None:
    """Appends in the order given; durable when it returns. Raises LogUnavailableError."""
    for fact in facts:
        log.append_nowait(TRANSACTIONS, fact.subject, fact)
    log.flush(FLUSH_SECONDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """`origin` is the name of file or folder, `part` below it that of the file itself.

    With `score` a transaction is submitted for a decision.
    """

    source: str
    origin: str
    correlation_id: str
    score: bool

    def of_transaction(
        self, transaction: Transaction, digest: str, line: int, part: str = ""
    ) -> Envelope:
        data: TransactionImported | TransactionSubmitted
        if self.score:
            data = TransactionSubmitted(transaction=transaction, digest=digest, mode="submit")
        else:
            data = TransactionImported(
                transaction=transaction, digest=digest, origin=part or self.origin, line=line
            )
        key, at = transaction.transaction_id, transaction.timestamp
        return Envelope(
            id=transaction_event_id(type(data), key),
            source=self.source,
            subject=key,
            time=at,
            known_time=at,
            data=data,
            correlation_id=self.correlation_id,
        )

    def label(self, transaction: Transaction, value: int) -> TransactionLabelled:
        return TransactionLabelled.of(
            transaction,
            value=value,
            kind="fraud_report" if value else "genuine",
            reporter=REPORTER_PREFIX + self.origin,
            reference=transaction.transaction_id,
        )

    def labelled(self, label: TransactionLabelled, known_time: int) -> Envelope:
        return Envelope(
            id=label_event_id(
                TransactionLabelled, label.transaction_id, label.reporter, label.reference
            ),
            source=self.source,
            subject=label.transaction_id,
            time=known_time,
            known_time=known_time,
            data=label,
            correlation_id=self.correlation_id,
        )
