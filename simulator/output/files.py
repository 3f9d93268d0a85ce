"""Files of simulated traffic: NDJSON, CSV or Parquet, written as a stream that may be endless.

They grow under their own name, so that an interrupted or endless run leaves what it made.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import orjson
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from domain.errors import InvalidInputError
from simulator.batch import Batch
from simulator.output.submission import REPORTER, label_to_submission, to_submission
from simulator.output.tables import file_table
from simulator.records import SimulatedLabel

LABEL_SCHEMA = pa.schema(
    [
        ("transaction_id", pa.string()),
        ("timestamp", pa.timestamp("us", tz="UTC")),
        ("kind", pa.string()),
        ("value", pa.int8()),
        ("reporter", pa.string()),
        ("reference", pa.string()),
    ]
)


class Output(Protocol):
    """Writes in the order given; closing completes the file, also after an interruption."""

    def write(self, batch: Batch) -> None: ...

    def write_labels(self, labels: Iterable[SimulatedLabel]) -> None: ...

    def close(self) -> None: ...


class LineOutput:
    """NDJSON in the shape that the HTTP API takes, flushed batch by batch."""

    def __init__(self, stream: BinaryIO, truth: bool) -> None:
        self._stream = stream
        self._truth = truth

    def write(self, batch: Batch) -> None:
        bodies: list[dict[str, Any]] = []
        for tx in batch.transactions():
            body = to_submission(tx)
            if self._truth:
                body["fraud"] = int(tx.fraud)
            bodies.append(body)
        self._write(bodies)

    def write_labels(self, labels: Iterable[SimulatedLabel]) -> None:
        self._write(label_to_submission(label) for label in labels)

    def close(self) -> None:
        self._stream.close()

    def _write(self, bodies: Iterable[dict[str, Any]]) -> None:
        self._stream.write(b"".join(orjson.dumps(body) + b"\n" for body in bodies))
        self._stream.flush()


class TableOutput:
    """CSV or Parquet; the header, or schema, is that of the first thing written."""

    def __init__(self, path: Path, truth: bool) -> None:
        self._path = path
        self._truth = truth
        self._stream = path.open("wb")
        self._writer: Any = None

    def write(self, batch: Batch) -> None:
        self._write(file_table(batch, self._truth))

    def write_labels(self, labels: Iterable[SimulatedLabel]) -> None:
        rows = [
            (
                label.transaction_id,
                label.known_at,
                label.kind,
                label.value,
                REPORTER,
                label.reference,
            )
            for label in labels
        ]
        columns: Iterable[Any] = zip(*rows, strict=True) if rows else ([],) * len(LABEL_SCHEMA)
        arrays = [
            pa.array(list(column), type=field.type)
            for column, field in zip(columns, LABEL_SCHEMA, strict=True)
        ]
        self._write(pa.Table.from_arrays(arrays, schema=LABEL_SCHEMA))

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._stream.close()

    def _write(self, table: pa.Table) -> None:
        if self._writer is None:
            csv = self._path.suffix == ".csv"
            make = pyarrow.csv.CSVWriter if csv else pyarrow.parquet.ParquetWriter
            self._writer = make(self._stream, table.schema)
        self._writer.write_table(table)


def open_output(path: Path, *, truth: bool, option: str) -> Output:
    """By the suffix of the name; an unknown one is an InvalidInputError that names the option."""
    if path.suffix in (".csv", ".parquet"):
        return TableOutput(path, truth)
    if path.suffix in (".ndjson", ".jsonl"):
        return LineOutput(path.open("wb"), truth)
    raise InvalidInputError(
        option, f"{path} must end in .csv, .ndjson, .jsonl or .parquet (or be - for stdout)"
    )
