"""Wrappings that producers put around a record: registry prefixes, change-data envelopes.

| sender                     | what is around the row                                             |
|----------------------------|--------------------------------------------------------------------|
| Confluent's registry       | the byte 0 and four bytes of a schema id before it                 |
| AWS Glue's registry        | the byte 3, a compression's byte and a UUID before it              |
| Debezium                   | `op`, `before`, `after`, with or without `schema` and `payload`    |
| Kafka Connect's converter  | `schema`, `payload`                                                |
| Maxwell, Canal             | `database`, `table`, `type`, `data` (Canal: a list of rows)        |
| Oracle GoldenGate          | `table`, `op_type`, `before`, `after`                              |
| CloudEvents                | `specversion`, `type`, `source`, `data`                            |
"""

from dataclasses import dataclass

import msgspec

from commands.intake.payload import MalformedPayloadError

_CONFLUENT, _GLUE = 5, 18
_TOMBSTONE = "is a tombstone: the record has no value"
_EMPTY = "is empty: it is a tombstone, or has a value of no bytes"
_NULL = msgspec.Raw(b"null")
_PACKED = {
    b"\x1f\x8b": "gzip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"BZh": "bzip2",
    b"\xfd7zXZ\0": "xz",
    b"\x04\x22\x4d\x18": "LZ4",
    b"\x82SNAPPY\0": "Snappy",
    b"\xff\x06\0\0sNaPpY": "Snappy",
}


class _Around(msgspec.Struct):
    """A transaction with fields of such names has its id beside them, and is no wrapping."""

    transaction_id: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class _Change(_Around, kw_only=True):
    op: str
    after: msgspec.Raw = _NULL


class _Envelope(msgspec.Struct):
    payload: _Change


class _Schema(msgspec.Struct):
    type: str


class _Connect(msgspec.Struct, forbid_unknown_fields=True):
    schema: _Schema
    payload: msgspec.Raw


class _Table(_Around, kw_only=True):
    database: str
    table: str
    type: str
    data: msgspec.Raw = _NULL


class _Trail(_Around, kw_only=True):
    table: str
    op_type: str
    after: msgspec.Raw = _NULL


class _CloudEvent(_Around, kw_only=True):
    specversion: str
    type: str
    source: str
    data: msgspec.Raw = _NULL


_DECODERS = {
    b'"op"': (msgspec.json.Decoder(_Envelope), msgspec.json.Decoder(_Change)),
    b'"payload"': (msgspec.json.Decoder(_Connect),),
    b'"database"': (msgspec.json.Decoder(_Table),),
    b'"op_type"': (msgspec.json.Decoder(_Trail),),
    b'"specversion"': (msgspec.json.Decoder(_CloudEvent),),
}
"""By a text that each has: most records have none, and are not looked at again."""
_OTHER = msgspec.DecodeError, UnicodeDecodeError, RecursionError
_ENDS = "delete", "D"  # kinds of change whose `data` or `after` is the row that is gone


@dataclass(frozen=True, slots=True)
class _Wrapped:
    """`row` is empty where the wrapping leaves none."""

    words: str
    row: bytes


def shape_of(value: bytes | None) -> str | None:
    """What is wrong with the record's shape, in words; None where it has none of these."""
    if not value:
        return _TOMBSTONE if value is None else _EMPTY
    if (prefix := _prefix_of(value)) is not None:
        return f"begins with {prefix[0]}: send plain JSON"
    if (packing := _packing_of(value)) is not None:
        return f"is {packing} data: send plain JSON, which the producer's codec packs"
    wrapped = _wrapped(value)
    return None if wrapped is None else f"is {wrapped.words}: send the row alone"


def unwrapped(value: bytes | None) -> bytes:
    """The row within, to the byte; `value` itself where nothing is around it.

    Raises MalformedPayloadError where no row of JSON is within: for a tombstone, an empty or packed
    value, Avro or Protobuf behind a prefix, and a change that leaves no row.
    """
    if not value or _packing_of(value) is not None:
        raise MalformedPayloadError("value", shape_of(value) or _EMPTY)
    inner = value
    if (prefix := _prefix_of(value)) is not None:
        inner = value[prefix[1] :]
        if inner.lstrip()[:1] != b"{":
            raise MalformedPayloadError("value", f"has {prefix[0]} before what is not JSON")
    wrapped = _wrapped(inner)
    if wrapped is None:
        return inner
    if not wrapped.row:
        raise MalformedPayloadError("value", f"is {wrapped.words} with no row")
    return wrapped.row


def _prefix_of(value: bytes) -> tuple[str, int] | None:
    """In words, and its length."""
    if value[:1] == b"\0" and len(value) >= _CONFLUENT:
        number = int.from_bytes(value[1:_CONFLUENT])
        return f"a schema-registry prefix (schema {number})", _CONFLUENT
    if value[:2] in (b"\x03\x00", b"\x03\x05") and len(value) >= _GLUE:
        return f"a Glue schema-registry prefix (schema {value[2:_GLUE].hex()})", _GLUE
    return None


def _packing_of(value: bytes) -> str | None:
    return next((name for begins, name in _PACKED.items() if value.startswith(begins)), None)


def _wrapped(value: bytes) -> _Wrapped | None:
    for text, decoders in _DECODERS.items():
        if text in value:
            for decoder in decoders:
                try:
                    found = decoder.decode(value)
                except _OTHER:
                    continue
                if getattr(found, "transaction_id", msgspec.UNSET) is msgspec.UNSET:
                    return _taken_off(found)
    return None


def _taken_off(found: object) -> _Wrapped:
    match found:
        case _Envelope(payload=_Change() as change) | (_Change() as change):
            return _of_change(f"a change-data envelope (op {change.op[:20]!r})", change.after)
        case _Trail(op_type=kind, after=row):
            words = f"a change-data envelope of GoldenGate (op_type {kind[:20]!r})"
            return _of_change(words, _NULL if kind in _ENDS else row)
        case _Table(type=kind, data=row):
            words = f"a change-data envelope of a table's row (type {kind[:20]!r})"
            return _of_change(words, _NULL if kind.lower() in _ENDS else row)
        case _CloudEvent(type=kind, data=row):
            return _of_change(f"a CloudEvents envelope (type {kind[:40]!r})", row)
        case _Connect(payload=row):
            return _Wrapped("a row beside its schema (Kafka Connect)", bytes(row))
    raise TypeError(type(found))


def _of_change(words: str, row: msgspec.Raw) -> _Wrapped:
    return _Wrapped(words, b"" if bytes(row) == b"null" else bytes(row))
