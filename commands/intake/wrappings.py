"""Wrappings that producers put around a record: schema-registry prefixes, change-data envelopes.

A prefix is the byte 0 and four bytes of a schema id (Confluent's wire format); an envelope is what
Debezium sends, with or without its schema: `op`, `before`, `after`.
"""

import msgspec

from commands.intake.payload import MalformedPayloadError

_PREFIX = 5
_TOMBSTONE = "is a tombstone: the record has no value"
_NULL = msgspec.Raw(b"null")


class _Change(msgspec.Struct):
    op: str
    after: msgspec.Raw = _NULL


class _Envelope(msgspec.Struct):
    payload: _Change


_CHANGE, _ENVELOPE = msgspec.json.Decoder(_Change), msgspec.json.Decoder(_Envelope)
_OTHER = msgspec.DecodeError, UnicodeDecodeError, RecursionError


def shape_of(value: bytes) -> str | None:
    """What is wrong with the record's shape, in words; None where it has none of these."""
    if not value:
        return _TOMBSTONE
    if _prefixed(value):
        number = int.from_bytes(value[1:_PREFIX])
        return f"begins with a schema-registry prefix (schema {number}): send plain JSON"
    change = _change(value)
    if change is not None:
        return f"is a change-data envelope (op {change.op[:20]!r}): send the row alone"
    return None


def unwrapped(value: bytes) -> bytes:
    """The row within, to the byte; `value` itself where nothing is around it.

    Raises MalformedPayloadError for a tombstone, and for a change that leaves no row.
    """
    if not value:
        raise MalformedPayloadError("value", _TOMBSTONE)
    inner = value[_PREFIX:] if _prefixed(value) else value
    change = _change(inner)
    if change is None:
        return inner
    row = bytes(change.after)
    if row == b"null":
        raise MalformedPayloadError("value", f"is a change (op {change.op[:20]!r}) with no row")
    return row


def _prefixed(value: bytes) -> bool:
    return value[:1] == b"\0" and len(value) > _PREFIX


def _change(value: bytes) -> _Change | None:
    if b'"op"' not in value:
        return None
    try:
        return _ENVELOPE.decode(value).payload
    except _OTHER:
        pass
    try:
        return _CHANGE.decode(value)
    except _OTHER:
        return None
