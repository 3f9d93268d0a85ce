"""Since when rows of transactions are kept in PostgreSQL: one row, which retention moves on.

The tables hold what the log gives of transactions since then, and nothing of those before: who
writes asks within its transaction, so that a rebuild writes no row that was dropped.
"""

from domain.times import from_datetime, to_datetime
from projections.readmodels.storage.driver import Cursor

_SINCE = "SELECT since FROM kept_months WHERE name = 'transactions'"
ALWAYS = -(1 << 62)
"""Before every time: all is kept."""


def kept_since(cursor: Cursor) -> int:
    """Microseconds UTC of an event time, or ALWAYS. It stays so until the transaction ends."""
    return _since(cursor, f"{_SINCE} FOR SHARE")


def seen_since(cursor: Cursor) -> int:
    """As `kept_since`, for readers: it may move on at once."""
    return _since(cursor, _SINCE)


def _since(cursor: Cursor, query: str) -> int:
    cursor.execute(query)
    row = cursor.fetchone()
    return ALWAYS if row is None or row[0] is None else from_datetime(row[0])


def keep_since(cursor: Cursor, since: int) -> bool:
    """Moves it on; True where it stood before. Waits for the transactions that have asked."""
    cursor.execute(
        "INSERT INTO kept_months AS kept VALUES ('transactions', %s) ON CONFLICT (name)"
        " DO UPDATE SET since = excluded.since"
        " WHERE kept.since IS NULL OR kept.since < excluded.since",
        (to_datetime(since),),
    )
    return cursor.rowcount > 0
