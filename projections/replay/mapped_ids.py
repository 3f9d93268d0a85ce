"""Ids of many transactions, read from their file as they are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, overload

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Rows = slice | NDArray[np.int64] | NDArray[np.bool_]


class MappedIds:
    """Like an array [n] of str as objects, of which memory holds what was asked for alone.

    `column` is one of texts whose buffers are a map of a file.
    """

    def __init__(self, column: pa.ChunkedArray) -> None:
        self._column = column

    def __len__(self) -> int:
        return len(self._column)

    @overload
    def __getitem__(self, rows: int | np.integer[Any], /) -> str: ...
    @overload
    def __getitem__(self, rows: Rows, /) -> NDArray[np.object_]: ...
    def __getitem__(self, rows: int | np.integer[Any] | Rows, /) -> str | NDArray[np.object_]:
        if isinstance(rows, slice):
            begin, end, step = rows.indices(len(self))
            if step == 1:
                return _texts(self._column.slice(begin, max(end - begin, 0)))
            rows = np.arange(begin, end, step)
        if isinstance(rows, np.ndarray):
            numbers = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
            return _texts(self._column.take(pa.array(numbers, pa.int64())))
        text: str = self._column[int(rows)].as_py()
        return text

    def __iter__(self) -> Iterator[str]:
        for chunk in self._column.chunks:
            yield from chunk.to_pylist()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[np.object_]:
        """All of them in memory."""
        return _texts(self._column)

    def tolist(self) -> list[str]:
        """As `__array__`."""
        found: list[str] = self._column.to_pylist()
        return found


def _texts(column: Any) -> NDArray[np.object_]:
    found: NDArray[np.object_] = column.to_numpy(zero_copy_only=False)
    return found
