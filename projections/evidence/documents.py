"""Evidence documents: the payload of a transaction as received, and its attributes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from domain.events import Envelope, TransactionImported, TransactionSubmitted
from eventlog.port import Position

# MongoDB refuses documents of more than 16 MiB and 100 levels.
MOST_BYTES = 15 * 2**20
MOST_LEVELS = 90
_INT64 = 2**63


@dataclass(frozen=True, slots=True)
class Evidence:
    """`raw` is None for imported transactions. `position` is that of the fact it comes from."""

    transaction_id: str
    raw: str | None
    attributes: dict[str, Any]
    position: Position


def document(envelope: Envelope, position: Position) -> dict[str, Any] | None:
    """The document to keep, or None for a fact without evidence.

    Attributes are fields that can be searched; those that MongoDB cannot name or number so are
    kept whole as JSON text. Raises ValueError for what is too large to be kept.
    """
    data = envelope.data
    if not isinstance(data, TransactionSubmitted | TransactionImported):
        return None
    raw = data.raw if isinstance(data, TransactionSubmitted) else None
    attributes = data.transaction.attributes
    if raw is None and not attributes:
        return None
    if _plain(attributes):
        kept: dict[str, Any] = {"attributes": attributes}
    else:
        kept = {"attributes_json": msgspec.json.encode(attributes).decode()}
    _check_size(raw, attributes)
    return {
        "_id": data.transaction.transaction_id,
        "raw": raw,
        **kept,
        "known_time": envelope.known_time,
        "position": {
            "topic": position.topic,
            "partition": position.partition,
            "offset": position.offset,
        },
    }


def from_document(found: Mapping[str, Any]) -> Evidence:
    text = found.get("attributes_json")
    attributes = found["attributes"] if text is None else msgspec.json.decode(text)
    return Evidence(found["_id"], found["raw"], attributes, Position(**found["position"]))


def _plain(value: Any, level: int = 0) -> bool:
    """True where the value reads back from MongoDB as it is, and can be searched by its names."""
    if isinstance(value, dict):
        return level < MOST_LEVELS and all(
            key and not key.startswith("$") and "." not in key and "\0" not in key
            and _plain(below, level + 1)
            for key, below in value.items()
        )  # fmt: skip
    if isinstance(value, list):
        return level < MOST_LEVELS and all(_plain(below, level + 1) for below in value)
    return not isinstance(value, int) or -_INT64 <= value < _INT64


def _check_size(raw: str | None, attributes: Mapping[str, Any]) -> None:
    size = 4 * len(raw or "")
    if size > MOST_BYTES:
        size = len((raw or "").encode())
    size += len(msgspec.json.encode(attributes)) if attributes else 0
    if size > MOST_BYTES:
        raise ValueError(f"raw and attributes: {size} bytes, more than {MOST_BYTES} can be kept")
