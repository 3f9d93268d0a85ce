"""Reader of Parquet and Arrow (files, streams, Feather 2), in batches; values become plain ones."""

from collections.abc import Callable, Iterator
from typing import Any

from commands.imports.readers.column_batch import ColumnBatch, to_plain
from commands.imports.readers.files.content import InputFile
from commands.imports.readers.rows import BATCH_ROWS, Batch, distinct_names
from domain.errors import InvalidInputError

_PARQUET, _ARROW, _STREAM = b"PAR1", b"ARROW1\0\0", b"\xff\xff\xff\xff"


def is_columnar(head: bytes) -> bool:
    return head.startswith((_PARQUET, _ARROW, _STREAM))


class ArrowRows:
    """Implements RowSource. Not-a-number counts as a missing value, as pandas writes it."""

    def __init__(self, file: InputFile) -> None:
        import pyarrow as pa

        self._file, self.part = file, file.name
        head = file.head(16)
        opener, what = next(
            (found for magic, found in _OPENERS.items() if head.startswith(magic)),
            (_open_stream, "an Arrow stream"),
        )
        try:
            schema, self._total, self._batches = opener(self._source(head))
        except (pa.ArrowException, OSError, ValueError) as error:
            if "magic bytes" in str(error) or "Not an Arrow file" in str(error):
                raise InvalidInputError(
                    "FILE",
                    f"{file.name} is {what} that is cut off: its end, which tells where its rows "
                    "are, is missing; get the whole file",
                ) from None
            raise InvalidInputError(
                "FILE", f"{file.name} cannot be read as {what}: {_line(error)}"
            ) from None
        self.kind = ", ".join((what.removeprefix("an "), *file.packing))
        self.columns = distinct_names(schema.names)
        self._plain = [to_plain(field.type) for field in schema]
        self._read = 0

    def batches(self) -> Iterator[Batch]:
        import pyarrow as pa

        try:
            for batch in self._batches:
                for at in range(0, batch.num_rows, BATCH_ROWS):
                    yield self._rows(batch.slice(at, BATCH_ROWS))
        except (pa.ArrowException, OSError) as error:
            raise InvalidInputError(
                "FILE", f"{self.part} is damaged after row {self._read}: {_line(error)}"
            ) from None
        self._file.raise_damage(self._read)

    def fraction(self) -> float:
        if self._total is None:
            return self._file.fraction()
        return self._read / self._total if self._total else 1.0

    def close(self) -> None:
        self._file.close()

    def _source(self, head: bytes) -> Any:
        if head.startswith(_STREAM):
            return self._file.content
        if self._file.path is not None:
            return str(self._file.path)
        spooled = self._file.spooled()
        self._file.raise_damage(0)
        return spooled

    def _rows(self, batch: Any) -> ColumnBatch:
        first = self._read + 1
        self._read += batch.num_rows
        return ColumnBatch(first, batch, self.columns, self._plain)


_Opened = tuple[Any, int | None, Iterator[Any]]


def _open_parquet(source: Any) -> _Opened:
    from pyarrow import parquet

    # Read piece by piece: a row group may hold the whole file.
    file = parquet.ParquetFile(source, buffer_size=1 << 20, pre_buffer=False)
    batches = file.iter_batches(batch_size=BATCH_ROWS, use_threads=False)
    return file.schema_arrow, file.metadata.num_rows, batches


def _open_arrow(source: Any) -> _Opened:
    import pyarrow as pa

    reader = pa.ipc.open_file(pa.memory_map(source) if isinstance(source, str) else source)
    batches = (reader.get_batch(at) for at in range(reader.num_record_batches))
    return reader.schema, None, batches


def _open_stream(source: Any) -> _Opened:
    import pyarrow as pa

    reader = pa.ipc.open_stream(source)
    return reader.schema, None, iter(reader)


_OPENERS: dict[bytes, tuple[Callable[[Any], _Opened], str]] = {
    _PARQUET: (_open_parquet, "Parquet"),
    _ARROW: (_open_arrow, "an Arrow file"),
}


def _line(error: BaseException) -> str:
    return str(error).split("\n")[0][:200]
