"""Inboxes: every record of a foreign producer was submitted, or set aside."""

from collections.abc import Iterator

from commands.intake.payload import MalformedPayloadError, parse_payload
from faults.audit.evidence import Evidence, Finding
from faults.audit.reading import Reading

CHECK = "inbox"


def check_inbox(evidence: Evidence, reading: Reading) -> Iterator[Finding]:
    """A record is found by the transaction id that it names; its content is the log's affair."""
    for records in evidence.inbox:
        for recorded in records:
            place = recorded.position
            if (place.topic, place.partition, place.offset) in reading.letters:
                continue
            named = _named(recorded.value)
            if named is None or named not in reading.lives:
                where = f"{place.topic}/{place.partition}/{place.offset}"
                what = f"{where}: {named} is neither in the log nor set aside"
                yield Finding(CHECK, what, "lost")


def _named(value: bytes) -> str | None:
    try:
        payload, _ = parse_payload(value)
    except MalformedPayloadError:
        return None
    named = payload.get("transaction_id")
    return None if named is None else str(named).strip()
