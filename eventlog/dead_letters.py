"""Dead letters: records that a reader could not use, sealed with their reason; list and open."""

import base64
import binascii
import os
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.errors import IntegrityError, NotFoundError, UndecodableError
from domain.events import Envelope, RecordDeadLettered
from eventlog.codec import decode
from eventlog.port import EventLog, Position
from eventlog.topics import DEAD_LETTERS

_NONCE_BYTES = 12
_LABEL = b"retrace dead letters v1\0"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadRecord:
    """A record that `reader` could not use; see RecordDeadLettered for the fields."""

    reader: str
    origin: str
    partition: int
    offset: int
    reason: str
    original: bytes
    field: str | None = None

    @property
    def event_id(self) -> str:
        """The same each time that the record is set aside."""
        return f"dead-letter/{self.reader}/{self.origin}/{self.partition}/{self.offset}"


def seal(original: bytes, key: bytes) -> str:
    """AES-256-GCM over the compressed bytes, base64. `key` is a secret of any length."""
    nonce = os.urandom(_NONCE_BYTES)
    sealed = AESGCM(_cipher_key(key)).encrypt(nonce, zlib.compress(original, 1), _LABEL)
    return base64.b64encode(nonce + sealed).decode()


def unseal(sealed: str, key: bytes) -> bytes:
    """Raises IntegrityError for another key or altered bytes."""
    try:
        held = base64.b64decode(sealed, validate=True)
        opened = AESGCM(_cipher_key(key)).decrypt(held[:_NONCE_BYTES], held[_NONCE_BYTES:], _LABEL)
    except (InvalidTag, binascii.Error, ValueError) as error:
        raise IntegrityError(
            "the dead letter cannot be opened: it was sealed with another key "
            "(RETRACE_DEAD_LETTER_KEY) or has been altered"
        ) from error
    return zlib.decompress(opened)


def dead_letter_event(record: DeadRecord, key: bytes, now: int) -> Envelope:
    """`now` is the time at which it was set aside, in microseconds UTC."""
    return Envelope(
        id=record.event_id,
        source=record.reader,
        subject=f"{record.origin}/{record.partition}/{record.offset}",
        time=now,
        known_time=now,
        correlation_id=record.event_id,
        data=RecordDeadLettered(
            reader=record.reader,
            origin=record.origin,
            partition=record.partition,
            offset=record.offset,
            reason=record.reason,
            sealed=seal(record.original, key),
            field=record.field,
        ),
    )


async def dead_letter(
    log: EventLog, record: DeadRecord, key: bytes, clock: Callable[[], int]
) -> Position:
    """Acknowledged when it returns; a retry is harmless. Raises LogUnavailableError."""
    return await log.append(DEAD_LETTERS, None, dead_letter_event(record, key, clock()))


def dead_letters(log: EventLog) -> Iterator[Envelope]:
    """Every dead letter that is still kept, once each, oldest first."""
    seen: set[str] = set()
    for recorded in log.read(DEAD_LETTERS):
        try:
            envelope = decode(recorded.value)
        except UndecodableError:
            # Only we write here: an unreadable dead letter holds no original to save.
            continue
        if isinstance(envelope.data, RecordDeadLettered) and envelope.id not in seen:
            seen.add(envelope.id)
            yield envelope


def dead_letter_of(log: EventLog, event_id: str) -> Envelope:
    """Raises NotFoundError."""
    for envelope in dead_letters(log):
        if envelope.id == event_id:
            return envelope
    raise NotFoundError("dead letter", event_id)


def _cipher_key(secret: bytes) -> bytes:
    return sha256(_LABEL + secret).digest()
