"""Binary COPY into `transaction_ids`: a third of the cost of text for these short rows.

https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format".
"""

from collections.abc import Mapping
from struct import Struct

from domain.times import DAY
from projections.readmodels.storage.driver import Cursor

_COPY = "COPY transaction_ids (transaction_id, timestamp, known_time) FROM STDIN (FORMAT binary)"
_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"
# Three fields, of which the first is so long.
_BEGIN = Struct(">hi").pack
_TIMES = Struct(">iqiq").pack
# PostgreSQL counts microseconds from 2000-01-01.
_EPOCH = 10_957 * DAY


def copy_ids(cursor: Cursor, ids: Mapping[str, tuple[int, int]]) -> None:
    """Of each id the event time and the known time, microseconds UTC."""
    if not ids:
        return
    pieces = [_HEADER]
    for key, (time, known) in ids.items():
        text = key.encode()
        pieces += (_BEGIN(3, len(text)), text, _TIMES(8, time - _EPOCH, 8, known - _EPOCH))
    pieces.append(_TRAILER)
    with cursor.copy(_COPY) as stream:
        stream.write(b"".join(pieces))
