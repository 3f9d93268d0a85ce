"""Owns the training frame of real history, as known at one moment, from PostgreSQL; writes nothing.

The vectors are the ideal ones that the offline projection keeps: what a transaction's features were
when it was known, whatever became known later. Tables are described in docs/sql.md.
"""

from __future__ import annotations

from typing import Any

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

# The last label known then counts; of labels known in the same microsecond, the one later in the
# log (labels of a transaction share a partition).
_QUERY = sql.SQL(
    """
    COPY (
      SELECT vectors.event_timestamp, COALESCE(label.value::float8, 'NaN'), {features}
      FROM feature_vectors AS vectors
      LEFT JOIN (
        SELECT DISTINCT ON (transaction_id) transaction_id, value
        FROM labels WHERE known_time <= {moment}
        ORDER BY transaction_id, known_time DESC, source_offset DESC
      ) AS label USING (transaction_id)
      WHERE vectors.feature_set = {feature_set} AND vectors.created <= {moment}
      ORDER BY vectors.event_timestamp, vectors.transaction_id COLLATE "C"
    ) TO STDOUT (FORMAT BINARY)
    """
)
_LACKING = """
    SELECT count(*) FROM transactions
    WHERE known_time <= %(moment)s AND NOT EXISTS (
      SELECT FROM feature_vectors AS vectors
      WHERE vectors.transaction_id = transactions.transaction_id
        AND vectors.feature_set = %(feature_set)s
    )
"""


def training_frame(database_url: str, as_known_at: int) -> Frame:
    """Every transaction known by then, with its label as known by then; microseconds UTC.

    Raises UnavailableError where PostgreSQL does not answer, InvalidInputError where nothing was
    known then.
    """
    query = _QUERY.format(
        features=sql.SQL(", ").join(
            sql.SQL("COALESCE(vectors.{}, 'NaN')").format(sql.Identifier(name))
            for name in CATALOGUE.names
        ),
        moment=sql.Literal(to_datetime(as_known_at)),
        feature_set=sql.Literal(CATALOGUE.hash),
    )
    rows = _parsed(_copied(database_url, query), 2 + len(CATALOGUE.names))
    if not len(rows):
        raise InvalidInputError(
            "as_known_at",
            f"no feature vectors of transactions known by {to_rfc3339(as_known_at)}: ingest"
            " history first, and let the offline projection catch up",
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


def lacking_vectors(database_url: str, as_known_at: int) -> int:
    """How many transactions known by then have no vector yet."""
    values = {"moment": to_datetime(as_known_at), "feature_set": CATALOGUE.hash}
    try:
        with _connect(database_url) as connection:
            row = connection.execute(_LACKING, values).fetchone()
    except psycopg.Error as error:
        raise UnavailableError("postgresql", str(error)) from error
    return int(row[0]) if row else 0


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
