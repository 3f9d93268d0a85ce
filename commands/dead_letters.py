"""Command about dead letters: sends the original of an inbox record to its inbox again."""

from domain.events import Envelope, RecordDeadLettered
from eventlog.dead_letters import unseal
from eventlog.port import InboxLog
from eventlog.topics import INBOX_TRANSACTIONS


async def retry_dead_letter(envelope: Envelope, key: bytes, log: InboxLog) -> str:
    """Says in words what was done. The inbox agent handles the record as if it were new.

    Records of other origins are left: their reader reads them again when it is rebuilt. Raises
    IntegrityError for another key, LogUnavailableError.
    """
    letter: RecordDeadLettered = envelope.data
    original = unseal(letter.sealed, key)
    if letter.origin == INBOX_TRANSACTIONS.name:
        place = await log.append_bytes(INBOX_TRANSACTIONS, None, original)
        return f"sent to {place.topic}/{place.partition} again, offset {place.offset}"
    return f"left: {letter.reader} reads records of {letter.origin} again when it is rebuilt"
