"""Parquet reader, in batches; values become plain Python ones."""

import base64
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from commands.imports.readers.rows import BATCH_ROWS, Row
from domain.errors import InvalidInputError


class ParquetRows:
    """Implements RowSource. Not-a-number counts as a missing value, as pandas writes it."""

    def __init__(self, path: Path) -> None:
        import pyarrow as pa
        from pyarrow import parquet

        try:
            # Read piece by piece: a row group may hold the whole file.
            self._file = parquet.ParquetFile(path, buffer_size=1 << 20, pre_buffer=False)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
            raise InvalidInputError("FILE", f"{path} cannot be read as Parquet: {error}") from None
        schema = self._file.schema_arrow
        self.columns = tuple(schema.names)
        if len(set(self.columns)) < len(self.columns):
            raise InvalidInputError("FILE", f"{path} has two columns of one name")
        self._plain = [_to_plain(field.type) for field in schema]
        self._total = self._file.metadata.num_rows
        self._read = 0
        self._path = path

    def batches(self) -> Iterator[list[tuple[int, Row]]]:
        import pyarrow as pa

        try:
            for batch in self._file.iter_batches(batch_size=BATCH_ROWS, use_threads=False):
                yield self._rows(batch)
        except (pa.ArrowInvalid, OSError) as error:
            raise InvalidInputError(
                "FILE", f"{self._path} is damaged after row {self._read}: {error}"
            ) from None

    def fraction(self) -> float:
        return self._read / self._total if self._total else 1.0

    def close(self) -> None:
        self._file.close()

    def _rows(self, batch: Any) -> list[tuple[int, Row]]:
        names = self.columns
        values = [plain(column) for plain, column in zip(self._plain, batch.columns, strict=True)]
        first = self._read + 1
        self._read += batch.num_rows
        rows = zip(*values, strict=True)
        return [(line, dict(zip(names, row, strict=True))) for line, row in enumerate(rows, first)]


def _to_plain(kind: Any) -> Callable[[Any], list[Any]]:
    import pyarrow as pa

    if pa.types.is_timestamp(kind):
        micros = pa.timestamp("us", tz=kind.tz)
        # Nanoseconds would come as objects of pandas.
        return lambda column: column.cast(micros, safe=False).to_pylist()
    if pa.types.is_floating(kind):
        return lambda column: [None if v != v else v for v in column.to_pylist()]
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return lambda column: [None if v is None else _text(v) for v in column.to_pylist()]
    return lambda column: column.to_pylist()


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return base64.b64encode(value).decode()
