"""Owns the columns of the archive, and how records become rows; reads and writes no file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import pyarrow as pa

from domain.events import Envelope
from domain.features.events import FeatureEvent, feature_event

FORMAT = "1"
_BIAS = 1 << 63

_TEXT, _LONG = pa.string(), pa.int64()
_FEATURES: dict[str, Any] = {
    "kind": _TEXT,
    "time": _LONG,
    "order": _LONG,
    "known_time": _LONG,
    "transaction_id": _TEXT,
    "transaction_time": _LONG,
    "base_amount": _LONG,
    "card_id": _TEXT,
    "customer_id": _TEXT,
    "merchant_id": _TEXT,
    "device_id": _TEXT,
    "ip": _TEXT,
    "country": _TEXT,
    "channel": _TEXT,
    "x": _LONG,
    "y": _LONG,
    "z": _LONG,
    "outcome": _TEXT,
    "label": _LONG,
}
assert tuple(_FEATURES) == FeatureEvent._fields
FEATURES = tuple(_FEATURES)
DICTIONARIES = (
    "verdict",
    "event_type",
    "kind",
    "card_id",
    "customer_id",
    "merchant_id",
    "device_id",
    "ip",
    "country",
    "channel",
    "outcome",
)
"""Columns whose texts repeat."""

SCHEMA = pa.schema(
    [
        pa.field("offset", _LONG, nullable=False),
        pa.field("key", _TEXT),
        # Where the record is about another id than its key.
        pa.field("subject", _TEXT),
        pa.field("value", pa.binary(), nullable=False),
        pa.field("verdict", _TEXT, nullable=False),
        pa.field("event_type", _TEXT),
        pa.field("event_id", _TEXT),
        *(pa.field(name, kind) for name, kind in _FEATURES.items()),
    ]
)


class Row(NamedTuple):
    """One record of a partition. `verdict` is counts, void or dead; `envelope` is None if dead."""

    offset: int
    key: str | None
    value: bytes
    verdict: str
    envelope: Envelope | None


def table_of(rows: Iterable[Row]) -> Any:
    """A pyarrow.Table of SCHEMA."""
    columns = list(zip(*map(_cells, rows), strict=True)) or [()] * len(SCHEMA)
    arrays = [pa.array(cells, field.type) for cells, field in zip(columns, SCHEMA, strict=True)]
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


_NOTHING: tuple[None, ...] = (None,) * len(FEATURES)
_KNOWN_TIME = FEATURES.index("known_time")
_ORDER = FEATURES.index("order")


def _cells(row: Row) -> tuple[Any, ...]:
    envelope = row.envelope
    if envelope is None:
        return (row.offset, row.key, None, row.value, row.verdict, None, None, *_NOTHING)
    event = foldable(envelope)
    features = list(event or _NOTHING)
    features[_KNOWN_TIME] = envelope.known_time
    if event is not None:
        features[_ORDER] = event.order - _BIAS
    subject = subject_of(envelope)
    return (
        row.offset,
        row.key,
        None if subject == row.key else subject,
        row.value,
        row.verdict,
        envelope.type,
        envelope.id,
        *features,
    )


def foldable(envelope: Envelope) -> FeatureEvent | None:
    """The feature event of a fact; None also where no column, and no state, can hold it."""
    event = feature_event(envelope)
    if event is None or not -_BIAS <= event.base_amount < _BIAS:
        return None
    return event


def subject_of(envelope: Envelope) -> str:
    """The id by which the void rule knows the record."""
    transaction = getattr(envelope.data, "transaction", None)
    return transaction.transaction_id if transaction is not None else envelope.subject
