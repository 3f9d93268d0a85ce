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

_PLACE = tuple(field.name for field in FOLDED)


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
    columns: dict[str, list[Any]] = {name: [] for name in SCHEMA.names}
    for record in records:
        envelope = record.envelope
        columns["offset"].append(record.offset)
        columns["key"].append(None if record.key is None else record.key.decode(errors="replace"))
        columns["value"].append(record.value)
        columns["verdict"].append(record.verdict)
        columns["type"].append(envelope.type if envelope else None)
        columns["event_id"].append(envelope.id if envelope else None)
        columns["subject"].append(envelope.subject if envelope else None)
        event = feature_event(envelope) if envelope and record.verdict == "counts" else None
        for name, value in zip(_PLACE, _folded(event), strict=True):
            columns[name].append(value)
    return pa.table(columns, schema=SCHEMA)


def _folded(event: FeatureEvent | None) -> tuple[Any, ...]:
    if event is None:
        return (None,) * len(_PLACE)
    return (
        event.kind,
        event.time,
        event.order - BIAS,
        event.known_time,
        event.transaction_id,
        digest(event.transaction_id) - BIAS,
        *event[5:],
    )
