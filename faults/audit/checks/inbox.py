"""Inboxes: every record of a foreign producer was submitted, or set aside."""

from collections.abc import Iterator

from commands.intake.payload import MalformedPayloadError, parse_payload
from faults.audit.evidence import Evidence, Finding
from faults.audit.reading import Reading

CHECK = "inbox"


def check_inbox(evidence: Evidence, reading: Reading) -> Iterator[Finding]:
    """A record is found by the transaction id that it names; its content is the log's affair.

    What is set aside is no content that the log has under that id, and none that it lacks.
    """
    for records in evidence.inbox:
        for recorded in records:
            place, named = recorded.position, _named(recorded.value)
            lives = reading.lives.get(named, ()) if named is not None else ()
            where = f"{place.topic}/{place.partition}/{place.offset}: {named}"
            digest = evidence.inbox_digests.get((place.partition, place.offset))
            if (place.topic, place.partition, place.offset) not in reading.letters:
                if not lives:
                    yield Finding(CHECK, f"{where} is neither in the log nor set aside", "lost")
            elif digest is not None and not lives:
                yield Finding(CHECK, f"{where} was set aside, and could be taken", "lost")
            elif digest in {life.digest for life in lives}:
                yield Finding(CHECK, f"{where} was set aside, and is in the log")


def _named(value: bytes) -> str | None:
    try:
        payload, _ = parse_payload(value)
    except MalformedPayloadError:
        return None
    named = payload.get("transaction_id")
    return None if named is None else str(named).strip()
