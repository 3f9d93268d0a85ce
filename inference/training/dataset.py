"""Owns the training frame of real history, as known at one moment, from PostgreSQL; writes nothing.

The vectors are the ideal ones that the offline projection keeps (what a transaction's features were
when it was known, whatever became known later), or those that decisions were served. Tables are
described in docs/sql.md.
"""

from __future__ import annotations

from typing import Any, Literal, LiteralString

import numpy as np
import psycopg
from psycopg import sql

from domain.errors import InvalidInputError, UnavailableError
from domain.features import CATALOGUE
from domain.times import from_rfc3339, to_datetime, to_rfc3339
from inference.training.frame import Frame

# Binary COPY: a header, then per row a count of columns and per column its length and bytes. All
# columns have eight bytes and none is NULL, so that rows have one width and need no parsing.
_HEADER = 19
_TRAILER = 2
_POSTGRES_EPOCH = from_rfc3339("2000-01-01T00:00:00Z")

Values = Literal["ideal", "served"]

# The last label known then counts; of labels known in the same microsecond, the one later in the
# log (labels of a transaction share a partition).
_QUERY = """
    COPY (
      SELECT vectors.event_timestamp, COALESCE(label.value::float8, 'NaN'), {columns}
      FROM ({vectors}) AS vectors
      LEFT JOIN (
        SELECT DISTINCT ON (transaction_id) transaction_id, value
        FROM labels WHERE known_time <= {moment}
        ORDER BY transaction_id, known_time DESC, source_offset DESC
      ) AS label USING (transaction_id)
      WHERE vectors.created <= {moment}
      ORDER BY vectors.event_timestamp, vectors.transaction_id COLLATE "C"
    ) TO STDOUT (FORMAT BINARY)
"""
_IDEAL = "SELECT * FROM feature_vectors WHERE feature_set = {feature_set}"
# A decision whose features were not read was served defaults: they say nothing about it.
_SERVED = """
    SELECT transaction_id, timestamp AS event_timestamp, known_time AS created, features
    FROM decisions WHERE feature_set = {feature_set}
      AND NOT flags && ARRAY['features_unavailable', 'deadline_passed']
"""
_LACKING = """
    SELECT count(*) FROM transactions
    WHERE known_time <= {moment} AND NOT EXISTS (
      SELECT FROM ({vectors}) AS vectors
      WHERE vectors.transaction_id = transactions.transaction_id
    )
"""
_HINTS: dict[Values, str] = {
    "ideal": "ingest history first, and let the offline projection catch up",
    "served": "they come with decisions; imported history has only ideal ones",
}


def training_frame(database_url: str, as_known_at: int, values: Values = "ideal") -> Frame:
    """Every transaction known by then, with its label as known by then; microseconds UTC.

    With `served`, every one decided by then whose features were read. Raises UnavailableError where
    PostgreSQL does not answer, InvalidInputError where nothing was known then.
    """
    query = _formed(_QUERY, values, as_known_at)
    rows = _parsed(_copied(database_url, query), 2 + len(CATALOGUE.names))
    if not len(rows):
        raise InvalidInputError(
            "as_known_at",
            f"no feature vectors ({values}) of transactions known by {to_rfc3339(as_known_at)}: "
            + _HINTS[values],
        )
    return Frame(
        np.ascontiguousarray(rows[:, 2:], dtype=np.float64),
        rows[:, 1].astype(np.float64),
        rows[:, 0].view(">i8").astype(np.int64) + _POSTGRES_EPOCH,
        np.ones(len(rows)),
        CATALOGUE.names,
        CATALOGUE.hash,
        as_known_at,
        tuple(feature.definition for feature in CATALOGUE.features),
    )


def lacking_vectors(database_url: str, as_known_at: int, values: Values = "ideal") -> int:
    """How many transactions known by then have no such vector."""
    try:
        with _connect(database_url) as connection:
            row = connection.execute(_formed(_LACKING, values, as_known_at)).fetchone()
    except psycopg.Error as error:
        raise UnavailableError("postgresql", str(error)) from error
    return int(row[0]) if row else 0


def _formed(query: LiteralString, values: Values, moment: int) -> sql.Composed:
    chosen = sql.SQL(_IDEAL if values == "ideal" else _SERVED)
    return sql.SQL(query).format(
        vectors=chosen.format(feature_set=sql.Literal(CATALOGUE.hash)),
        columns=sql.SQL(", ").join(_columns(values)),
        moment=sql.Literal(to_datetime(moment)),
    )


def _columns(values: Values) -> list[sql.Composed]:
    if values == "ideal":
        each = [sql.SQL("{}").format(sql.Identifier("vectors", name)) for name in CATALOGUE.names]
    else:
        each = [sql.SQL("vectors.features[{}]").format(n + 1) for n in range(len(CATALOGUE))]
    return [sql.SQL("COALESCE({}, 'NaN')").format(one) for one in each]


def _copied(database_url: str, query: sql.Composed) -> bytes:
    try:
        with (
            _connect(database_url) as connection,
            connection.cursor() as cursor,
            cursor.copy(query) as copy,
        ):
            return b"".join(bytes(block) for block in copy)
    except psycopg.Error as error:
        raise UnavailableError("postgresql", str(error)) from error


def _connect(database_url: str) -> psycopg.Connection[Any]:
    plain = database_url.replace("postgresql+psycopg://", "postgresql://", 1)
    return psycopg.connect(plain, connect_timeout=5, application_name="retrace train")


def _parsed(data: bytes, columns: int) -> Any:
    """[n, columns] big-endian float64, a view of `data`."""
    row = np.dtype([("count", ">i2"), ("cells", [("length", ">i4"), ("value", ">f8")], columns)])
    number = (len(data) - _HEADER - _TRAILER) // row.itemsize
    return np.frombuffer(data, row, number, _HEADER)["cells"]["value"]
