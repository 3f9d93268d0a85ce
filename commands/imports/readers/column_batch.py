"""Batch of a columnar file: columns and rows are made of it when they are asked for."""

import base64
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from commands.imports.readers.rows import Row, Times

_WHOLE_TIMES = {19, 23, 26}
Plain = Callable[[Any], list[Any]]
"""From a column of Arrow to its values."""


class ColumnBatch:
    """Implements Batch over one of Arrow; `plain` has an entry for each of the columns `names`."""

    def __init__(
        self, first: int, batch: Any, names: Sequence[str], plain: Sequence[Plain]
    ) -> None:
        self.lines: Sequence[int] = range(first, first + batch.num_rows)
        self._names = names
        self._columns = dict(zip(names, zip(plain, batch.columns, strict=True), strict=True))
        self._made: dict[str, list[Any]] = {}
        self._rows: list[tuple[str, list[Any]]] = []

    def __len__(self) -> int:
        return len(self.lines)

    def __iter__(self) -> Iterator[tuple[int, Row]]:
        names = self._names
        rows = zip(*map(self.column, names), strict=True)
        for line, row in zip(self.lines, rows, strict=True):
            yield line, dict(zip(names, row, strict=True))

    def row(self, at: int) -> Row:
        if not self._rows:
            self._rows = [(name, self.column(name)) for name in self._names]
        return {name: values[at] for name, values in self._rows}

    def column(self, name: str) -> list[Any]:
        made = self._made.get(name)
        if made is None:
            if name not in self._columns:
                return [None] * len(self)
            plain, column = self._columns[name]
            made = self._made[name] = plain(column)
        return made

    def times(self, name: str) -> Times | None:
        import pyarrow as pa

        _, column = self._columns.get(name, (None, None))
        if column is None or not pa.types.is_timestamp(column.type):
            return None
        try:
            micros = column.cast(pa.timestamp("us", tz=column.type.tz))
        except pa.ArrowInvalid:  # nanoseconds, or beyond what 64 bits hold in microseconds
            return None
        return micros.cast(pa.int64()).to_pylist(), column.type.tz is None

    def others(self, used: frozenset[str]) -> list[dict[str, Any]] | None:
        names = [name for name in self._names if name not in used]
        if not names:
            return None
        return [
            {k: v for k, v in zip(names, row, strict=True) if v is not None and v != ""}
            for row in zip(*map(self.column, names), strict=True)
        ]


class TextBatch:
    """Implements Batch over text; of `values`, each row has as many as there are `names`."""

    def __init__(self, lines: Sequence[int], names: Sequence[str], values: list[str]) -> None:
        self.lines, self._names, self._values = lines, names, values
        self._width = len(names)

    def __len__(self) -> int:
        return len(self.lines)

    def __iter__(self) -> Iterator[tuple[int, Row]]:
        return zip(self.lines, map(self.row, range(len(self))), strict=True)

    def row(self, at: int) -> Row:
        values = self._values[at * self._width : (at + 1) * self._width]
        return dict(zip(self._names, [value or None for value in values], strict=True))

    def column(self, name: str) -> list[Any]:
        if name not in self._names:
            return [None] * len(self)
        values = self._values[self._names.index(name) :: self._width]
        return [value or None for value in values] if "" in values else values

    def times(self, name: str) -> Times | None:
        """Where all are written alike, to the second or its fractions and without an offset."""
        import pyarrow as pa

        found = self.column(name)
        if None in found or {*map(len, found)} - _WHOLE_TIMES:
            return None
        try:
            micros = pa.array(found).cast(pa.timestamp("us"))
        except pa.ArrowInvalid:
            return None
        return micros.cast(pa.int64()).to_pylist(), True

    def others(self, used: frozenset[str]) -> list[dict[str, Any]] | None:
        names = [name for name in self._names if name not in used]
        if not names:
            return None
        rows = zip(*map(self.column, names), strict=True)
        return [{k: v for k, v in zip(names, row, strict=True) if v is not None} for row in rows]


def to_plain(kind: Any) -> Callable[[Any], list[Any]]:
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        inner = to_plain(kind.value_type)
        return lambda column: inner(column.dictionary_decode())
    if pa.types.is_timestamp(kind) and kind.unit == "ns":
        micros = pa.timestamp("us", tz=kind.tz)
        # Nanoseconds would come as objects of pandas.
        return lambda column: _moments(column.cast(micros, safe=False))
    if pa.types.is_timestamp(kind):
        return _moments
    if pa.types.is_floating(kind):
        return lambda column: [None if v != v else v for v in column.to_pylist()]
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return lambda column: [None if v is None else _text(v) for v in column.to_pylist()]
    return _values


def _values(column: Any) -> list[Any]:
    try:
        found: list[Any] = column.to_pylist()
    except (OverflowError, ValueError):  # a time beyond what Python's have
        found = [_value(each) for each in column]
    return found


def _moments(column: Any) -> list[Any]:
    """NumPy makes them twenty times as fast as Arrow, and integers of what Python's cannot hold.

    Its buffer is read in place: to make an array of it Arrow would load all of pandas.
    """
    import numpy as np
    import pyarrow as pa

    if column.type.tz is None and pa.types.is_timestamp(column.type):
        whole = column.cast(pa.int64()).fill_null(np.iinfo(np.int64).min)  # NumPy's no time
        kind = f"M8[{column.type.unit}]"
        at = whole.offset * 8
        found: list[Any] = np.frombuffer(whole.buffers()[1], kind, len(whole), at).tolist()
        if int not in set(map(type, found)):
            return found
    return _values(column)


def _value(scalar: Any) -> Any:
    try:
        return scalar.as_py()
    except (OverflowError, ValueError):
        return f"out of range: {scalar.value}"


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return base64.b64encode(value).decode()
