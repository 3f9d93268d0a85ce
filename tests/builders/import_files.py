"""Small files to import, an import of them, and what it appended."""

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from commands.imports.handler import ImportPorts, ImportRows, import_rows
from commands.imports.mapping.binding import bind
from commands.imports.mapping.damage import damaged_fields
from commands.imports.mapping.model import FileMapping
from commands.imports.mapping.plain import with_options
from commands.imports.readers.opening import open_rows
from commands.imports.rejects import Reject
from commands.imports.summary import ImportSummary
from commands.intake.cleaner import PayloadCleaner
from commands.intake.tokens import Tokeniser
from domain.cleaning.cards import redact
from domain.events import Envelope
from domain.money import approximate_rates
from domain.times import DAY, from_rfc3339, to_rfc3339
from eventlog.codec import decode, encode
from eventlog.in_memory import InMemoryEventLog
from eventlog.topics import Topic

START = from_rfc3339("2024-01-01T00:00:00Z")
NOW = from_rfc3339("2024-06-01T00:00:00Z")
TOKENISE = Tokeniser(b"a key of tests, nothing else")
Rows = list[dict[str, Any]]


class OrderedLog(InMemoryEventLog):
    """The log in memory, which also keeps the order of appends over all partitions."""

    def __init__(self) -> None:
        super().__init__()
        self.appended: list[Envelope] = []

    def append_nowait(self, topic: Topic, key: str | None, envelope: Envelope) -> None:
        super().append_nowait(topic, key, envelope)
        assert key == envelope.subject
        self.appended.append(decode(encode(envelope)))


@dataclass
class Imported:
    summary: ImportSummary
    log: OrderedLog
    rejects: list[Reject] = field(default_factory=list)

    def of(self, kind: type) -> list[Envelope]:
        return [envelope for envelope in self.log.appended if isinstance(envelope.data, kind)]


def cleaner() -> PayloadCleaner:
    return PayloadCleaner(TOKENISE, b"a key of digests", approximate_rates(), "USD")


def run_import(
    path: Path,
    mapping: Sequence[str] = (),
    *,
    of: FileMapping | None = None,
    label: str | None = None,
    delay: int = 7 * DAY,
    now: int = NOW,
    log: OrderedLog | None = None,
    ports: dict[str, Any] | None = None,
    summary: ImportSummary | None = None,
    **command: Any,
) -> Imported:
    source = open_rows(path)
    binding = bind(source.columns, with_options(of or FileMapping(), mapping, label))
    done = Imported(summary or ImportSummary(), log or OrderedLog())
    try:
        import_rows(
            ImportRows(
                name=path.name,
                correlation_id="a correlation",
                binding=binding,
                label_delay=delay,
                again=lambda: open_rows(path),
                damaged=damaged_fields(next(open_rows(path).batches(), []), binding),
                **command,
            ),
            source,
            ImportPorts(
                cleaner=cleaner(),
                log=done.log,
                clock=lambda: now,
                redact=lambda text: redact(text, TOKENISE),
                reject=done.rejects.append,
                **(ports or {}),
            ),
            done.summary,
        )
    finally:
        source.close()
    return done


def rows_of(count: int, step: int = DAY // 4) -> Rows:
    """In time order, one every six hours, every fifth a fraud."""
    return [
        {
            "transaction_id": f"t{number}",
            "timestamp": to_rfc3339(START + number * step),
            "amount": number + 0.25,
            "card_id": f"card {number % 7}",
            "merchant_id": f"m{number % 5}",
            "fraud": int(number % 5 == 0),
            "note": "as it came",
        }
        for number in range(count)
    ]


def write_csv(path: Path, rows: Rows, **dialect: Any) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), **dialect)
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_ndjson(path: Path, rows: Rows) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def write_parquet(path: Path, rows: Rows) -> Path:
    import pyarrow as pa
    from pyarrow import parquet

    parquet.write_table(pa.Table.from_pylist(rows), path)
    return path
