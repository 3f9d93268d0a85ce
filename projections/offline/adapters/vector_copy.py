"""Binary COPY of PostgreSQL for vectors, as bytes.

https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format": per row the number of
fields, then per field its size and its bytes, -1 and none for NULL; all big-endian.
"""

import struct
from collections.abc import Iterator, Sequence

import numpy as np

from domain.features.kernel.arrays import Floats
from domain.times import DAY

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
# PostgreSQL counts microseconds from 2000-01-01.
_EPOCH = 10_957 * DAY
_CELL = 12
_AT_ONCE = 5_000


def rows_as_binary(
    ids: Sequence[str], times: Sequence[int], known: Sequence[int], feature_set: str, values: Floats
) -> Iterator[bytes]:
    """(transaction_id, event_timestamp, created, feature_set, features) per row, in pieces.

    Times are microseconds UTC; NaN becomes NULL.
    """
    tag = feature_set.encode()
    end = struct.pack(f">i{len(tag)}s", len(tag), tag)
    fields = struct.pack(">h", 4 + values.shape[1])
    for start in range(0, len(ids), _AT_ONCE):
        some = slice(start, start + _AT_ONCE)
        cells, cuts = _cells(values[some])
        rows: list[bytes] = []
        for row, (name, time, seen) in enumerate(
            zip(ids[some], times[some], known[some], strict=True)
        ):
            text = name.encode()
            head = struct.pack(
                f">i{len(text)}siqiq", len(text), text, 8, time - _EPOCH, 8, seen - _EPOCH
            )
            rows += (fields, head, end, cells[cuts[row] : cuts[row + 1]])
        yield b"".join(rows)


def _cells(values: Floats) -> tuple[bytes, list[int]]:
    """The fields of all rows one after the other, and where each row begins."""
    unknown = np.isnan(values)
    cells = np.empty((*values.shape, _CELL), dtype=np.uint8)
    sizes = np.where(unknown, -1, 8).astype(">i4")
    cells[:, :, :4] = sizes.view(np.uint8).reshape(*values.shape, 4)
    cells[:, :, 4:] = values.astype(">f8").view(np.uint8).reshape(*values.shape, 8)
    kept = np.ones(cells.shape, dtype=bool)
    kept[:, :, 4:] = ~unknown[:, :, None]
    lengths = np.where(unknown, 4, _CELL).sum(axis=1)
    return cells[kept].tobytes(), [0, *np.cumsum(lengths).tolist()]
