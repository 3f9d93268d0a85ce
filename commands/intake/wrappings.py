"""Wrappings that producers put around a record: schema-registry prefixes, change-data envelopes.

A prefix is the byte 0 and four bytes of a schema id (Confluent's wire format); an envelope is what
Debezium sends, with or without its schema: `op`, `before`, `after`. Kafka Connect's JSON converter
puts a row alone beside its schema too: `schema`, `payload`.
"""

import msgspec

from commands.intake.payload import MalformedPayloadError

_PREFIX = 5
_TOMBSTONE = "is a tombstone: the record has no value"
_EMPTY = "is empty: the record's value has no bytes"
_NULL = msgspec.Raw(b"null")
_PACKED = {
    b"\x1f\x8b": "gzip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"BZh": "bzip2",
    b"\xfd7zXZ\0": "xz",
    b"\x04\x22\x4d\x18": "LZ4",
}


class _Change(msgspec.Struct):
    op: str
    after: msgspec.Raw = _NULL


class _Envelope(msgspec.Struct):
    payload: _Change


class _Schema(msgspec.Struct):
    type: str


class _Connect(msgspec.Struct, forbid_unknown_fields=True):
    schema: _Schema
    payload: msgspec.Raw


_CHANGE, _ENVELOPE = msgspec.json.Decoder(_Change), msgspec.json.Decoder(_Envelope)
_CONNECT = msgspec.json.Decoder(_Connect)
_OTHER = msgspec.DecodeError, UnicodeDecodeError, RecursionError


def shape_of(value: bytes | None) -> str | None:
    """What is wrong with the record's shape, in words; None where it has none of these."""
    if not value:
        return _TOMBSTONE if value is None else _EMPTY
    if _prefixed(value):
        return f"begins with {_prefix_of(value)}: send plain JSON"
    if (packing := _packing_of(value)) is not None:
        return f"is {packing} data: send plain JSON, which the producer's codec packs"
    change = _change(value)
    if change is not None:
        return f"is a change-data envelope (op {change.op[:20]!r}): send the row alone"
    if _connected(value) is not None:
        return "is a row beside its schema (Kafka Connect): send the row alone"
    return None


def unwrapped(value: bytes | None) -> bytes:
    """The row within, to the byte; `value` itself where nothing is around it.

    Raises MalformedPayloadError where no row of JSON is within: for a tombstone, an empty or packed
    value, Avro or Protobuf behind a prefix, and a change that leaves no row.
    """
    if not value or _packing_of(value) is not None:
        raise MalformedPayloadError("value", shape_of(value) or _EMPTY)
    inner = value[_PREFIX:] if _prefixed(value) else value
    if inner is not value and inner.lstrip()[:1] != b"{":
        raise MalformedPayloadError("value", f"has {_prefix_of(value)} before what is not JSON")
    change = _change(inner)
    if change is None:
        return _connected(inner) or inner
    row = bytes(change.after)
    if row == b"null":
        raise MalformedPayloadError("value", f"is a change (op {change.op[:20]!r}) with no row")
    return row


def _prefixed(value: bytes) -> bool:
    return value[:1] == b"\0" and len(value) >= _PREFIX


def _prefix_of(value: bytes) -> str:
    return f"a schema-registry prefix (schema {int.from_bytes(value[1:_PREFIX])})"


def _packing_of(value: bytes) -> str | None:
    return next((name for begins, name in _PACKED.items() if value.startswith(begins)), None)


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


def _connected(value: bytes) -> bytes | None:
    if b'"schema"' not in value:
        return None
    try:
        return bytes(_CONNECT.decode(value).payload)
    except _OTHER:
        return None
