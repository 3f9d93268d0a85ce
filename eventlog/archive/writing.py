"""Table of the archive, made from records and their verdicts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from domain.events import Envelope
from domain.features import feature_event
from domain.features.events import FeatureEvent, digest
from domain.features.kernel.row_layout import BIAS
from eventlog.archive.layout import FOLDED, SCHEMA

ArchivedRow = tuple[Any, ...]
"""The values of SCHEMA."""


@dataclass(frozen=True, slots=True)
class ArchivedRecord:
    """One record of the log and what was made of it; `envelope` is None for a dead one."""

    offset: int
    key: bytes | None
    value: bytes
    verdict: str
    envelope: Envelope | None


def table_of(records: Sequence[ArchivedRecord]) -> pa.Table:
    """The records in their order; those that do not count fold into nothing."""
    return table_of_rows([row_of(each) for each in records])


def row_of(record: ArchivedRecord) -> ArchivedRow:
    """Smaller than its event by far: worth it where many wait for their file."""
    envelope = record.envelope
    event = feature_event(envelope) if envelope and record.verdict == "counts" else None
    said = (envelope.type, envelope.id, envelope.subject) if envelope else (None,) * 3
    key = None if record.key is None else record.key.decode(errors="replace")
    return (record.offset, key, record.value, record.verdict, *said, *_folded(event))


def table_of_rows(rows: Sequence[ArchivedRow]) -> pa.Table:
    columns = zip(*rows, strict=True) if rows else [()] * len(SCHEMA)
    return pa.table(dict(zip(SCHEMA.names, columns, strict=True)), schema=SCHEMA)


def _folded(event: FeatureEvent | None) -> tuple[Any, ...]:
    if event is None:
        return (None,) * len(FOLDED)
    return (
        event.kind,
        event.time,
        event.order - BIAS,
        event.known_time,
        event.transaction_id,
        digest(event.transaction_id) - BIAS,
        *event[5:],
    )
