"""Log: each record lies where its key says, and its event id follows from its content."""

from collections.abc import Iterator

from domain.events import (
    Envelope,
    StepUpConcluded,
    TransactionImported,
    TransactionLabelled,
    TransactionScored,
    TransactionSubmitted,
    label_event_id,
    transaction_event_id,
)
from domain.times import MINUTE
from eventlog.partitioning import partition_for
from faults.audit.evidence import Evidence, Finding
from faults.audit.reading import Reading

CHECK = "log"
_EARLY = 5 * MINUTE


def check_log(evidence: Evidence, reading: Reading) -> Iterator[Finding]:
    partitions = len(reading.transactions)
    for stored, records in zip(evidence.transactions, reading.transactions, strict=True):
        before = -1
        for recorded, record in zip(stored, records, strict=True):
            place = f"{record.position.partition}/{record.position.offset}"
            if record.position.offset <= before:
                yield Finding(CHECK, f"{place}: its offset is not above {before}")
            before = record.position.offset
            if record.envelope is None:
                continue
            wrong = _wrong(record.envelope, recorded.key)
            if not wrong and recorded.key is not None:
                home = partition_for(recorded.key, partitions)
                if home != record.position.partition:
                    wrong = f"its key {recorded.key!r} belongs to partition {home}"
            if wrong:
                yield Finding(CHECK, f"{place}: {wrong}")


def _wrong(envelope: Envelope, key: str | None) -> str | None:
    expected = _id_of(envelope)
    if expected is None:
        return None
    if envelope.id != expected:
        return f"its event id is {envelope.id!r} and by its content {expected!r}"
    if key != envelope.subject:
        return f"its key is {key!r} and its transaction {envelope.subject!r}"
    data = envelope.data
    if isinstance(data, TransactionSubmitted | TransactionImported):
        ahead = data.transaction.timestamp - envelope.known_time
        if ahead > _EARLY:
            return f"its event time lies {ahead} us after its known time"
    return None


def _id_of(envelope: Envelope) -> str | None:
    """The event id of a fact about a transaction, None for other facts."""
    data = envelope.data
    if isinstance(data, TransactionLabelled):
        return label_event_id(type(data), data.transaction_id, data.reporter, data.reference)
    if isinstance(data, StepUpConcluded):
        return transaction_event_id(type(data), data.transaction_id)
    if isinstance(data, TransactionSubmitted | TransactionImported | TransactionScored):
        return transaction_event_id(type(data), data.transaction.transaction_id)
    return None
