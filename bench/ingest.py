"""Benchmark of imports: a dry run of a file beside plain reads of it, on one core.

    python -m bench.ingest FILE --map transaction_id=ID ... --label FRAUD

The dry run is that of `retrace ingest --dry-run`: it reads, cleans, labels and builds every event.
Beside it stand its reading and cleaning alone (by columns, where the mapping allows that), the same
import with each event also encoded, which is all that an import does before Kafka, and as floor
pyarrow's read of the file into one dictionary for each row. Seconds are of the processor, so that
what else runs on the machine matters little.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import pyarrow as pa
import typer
from pyarrow import csv, parquet

from bench.machine import peak_gib, write
from commands.imports.columns.plain_columns import PlainColumns
from commands.imports.summary import ImportSummary
from domain.events import Envelope
from eventlog.codec import encode
from eventlog.topics import Topic
from host.clock import now_us
from operations.log.imports import ImportOptions, opened_import, run_import
from runtime.composition.imports import open_import_ports
from runtime.composition.intake import cleaner_for_file
from runtime.settings import settings_from_environment

_BATCH = 4096


class Encoded:
    """Implements Appender: encodes events and drops them."""

    def append_nowait(self, _topic: Topic, _key: str | None, envelope: Envelope) -> None:
        encode(envelope)

    def flush(self, timeout: float = 60.0) -> None:
        pass


def main(
    file: Path,
    mapping: Annotated[list[str] | None, typer.Option("--map")] = None,
    mapping_file: Annotated[str | None, typer.Option("--mapping")] = None,
    label: str | None = None,
    result: Annotated[str, typer.Option(help="Name of the result's file.")] = "ingest",
) -> None:
    options = ImportOptions(
        file=file, mapping=mapping or (), mapping_file=mapping_file, label=label
    )
    dry = _timed(lambda: _imported(options, encoded=False))
    figures = {
        "file": file.name,
        "dry_run": dry,
        "read_and_cleaned": _timed(lambda: _cleaned(options)),
        "events_encoded": _timed(lambda: _imported(options, encoded=True)),
        "pyarrow_into_dictionaries": _timed(lambda: _plainly_read(file)),
        "peak_gib": peak_gib(),
    }
    write(result, figures)


def _timed(work: Callable[[], int]) -> dict[str, Any]:
    clock, began = time.perf_counter(), time.process_time()
    rows = work()
    seconds = time.process_time() - began
    return {
        "rows": rows,
        "cpu_seconds": round(seconds, 2),
        "rows_per_cpu_second": round(rows / seconds),
        "rows_per_second": round(rows / (time.perf_counter() - clock)),
    }


def _imported(options: ImportOptions, encoded: bool) -> int:
    summary = ImportSummary()
    settings = settings_from_environment()
    with (
        opened_import(options) as opened,
        open_import_ports(
            settings, opened, None, 0.0, time.sleep, lambda _: None, dry_run=True
        ) as ports,
    ):
        run_import(opened, replace(ports, log=Encoded()) if encoded else ports, summary)
    return summary.rows


def _cleaned(options: ImportOptions) -> int:
    cleaner, _ = cleaner_for_file(settings_from_environment(), None)
    rows, now = 0, now_us()
    with opened_import(options) as opened:
        binding = opened.command.binding
        columns = PlainColumns(binding, cleaner, binding.words(cleaner.words))
        for batch in opened.rows.batches():
            rows += len(columns.rows(batch, now, binding.style).transactions)
    return rows


def _plainly_read(file: Path) -> int:
    if file.suffix == ".parquet":
        batches = parquet.ParquetFile(file).iter_batches(_BATCH, use_threads=False)
    else:
        batches = csv.open_csv(file, csv.ReadOptions(use_threads=False))
    return sum(len(pa.RecordBatch.to_pylist(batch)) for batch in batches)


if __name__ == "__main__":
    typer.run(main)
