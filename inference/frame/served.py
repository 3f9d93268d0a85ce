"""Owns the training frame of what decisions were served, as known at one moment; writes nothing.

The values are those of the table decisions (docs/sql.md). What the log itself gives, without any
store, is operations.training.log_frame's.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import psycopg
from psycopg import sql

from domain.errors import InvalidInputError, UnavailableError
from domain.features import CATALOGUE
from domain.features.payments import MATURITIES, Payments
from domain.times import SECOND, from_rfc3339, to_datetime, to_rfc3339
from inference.frame.frame import Frame, Ints

# Binary COPY: a header, then per row a count of columns and per column its length and bytes. All
# columns have eight bytes and none is NULL, so that rows have one width and need no parsing.
_HEADER = 19
_TRAILER = 2
_POSTGRES_EPOCH = from_rfc3339("2000-01-01T00:00:00Z")

# The last label known then counts; of labels known in the same microsecond, the one later in the
# log (labels of a transaction share a partition). A decision whose features were not read was
# served defaults: they say nothing about it.
_MATURED = """
    COALESCE((
      SELECT value FROM labels
      WHERE transaction_id = decision.transaction_id AND known_time <= {moment}
        AND known_time <= decision.timestamp + make_interval(secs => {seconds})
      ORDER BY known_time DESC, source_offset DESC LIMIT 1
    ), -1)::int8
"""
_QUERY = """
    COPY (
      SELECT decision.timestamp, COALESCE(label.value::float8, 'NaN'),
        COALESCE(hashtextextended(card_id, 1), hashtextextended(customer_id, 2), 0),
        base_amount::int8, (outcome = 'decline')::int::int8, {matured}, {columns}
      FROM decisions AS decision
      LEFT JOIN (
        SELECT DISTINCT ON (transaction_id) transaction_id, value
        FROM labels WHERE known_time <= {moment}
        ORDER BY transaction_id, known_time DESC, source_offset DESC
      ) AS label USING (transaction_id)
      WHERE decision.known_time <= {moment} AND decision.feature_set = {feature_set}
        AND NOT decision.flags && ARRAY['features_unavailable', 'deadline_passed']
      ORDER BY decision.timestamp, decision.transaction_id COLLATE "C"
    ) TO STDOUT (FORMAT BINARY)
"""


def served_frame(database_url: str, as_known_at: int) -> Frame:
    """Every transaction decided by then whose features were read, with its label as known then.

    Microseconds UTC. Raises UnavailableError where PostgreSQL does not answer, InvalidInputError
    where nothing was decided by then.
    """
    columns = [
        sql.SQL("COALESCE(decision.features[{}], 'NaN')").format(place + 1)
        for place in range(len(CATALOGUE))
    ]
    moment = sql.Literal(to_datetime(as_known_at))
    matured = [
        sql.SQL(_MATURED).format(moment=moment, seconds=sql.Literal(maturity // SECOND))
        for maturity in MATURITIES
    ]
    query = sql.SQL(_QUERY).format(
        matured=sql.SQL(", ").join(matured),
        columns=sql.SQL(", ").join(columns),
        moment=moment,
        feature_set=sql.Literal(CATALOGUE.hash),
    )
    about = 3 + len(MATURITIES)
    rows = _parsed(_copied(database_url, query), 2 + about + len(CATALOGUE.names))
    if not len(rows):
        raise InvalidInputError(
            "as_known_at",
            f"nothing was decided with these features by {to_rfc3339(as_known_at)}: served values"
            " come with decisions; for imported history train on ideal ones",
        )
    holders, amounts, declined, *then = (_whole(rows[:, 2 + number]) for number in range(about))
    return Frame(
        np.ascontiguousarray(rows[:, 2 + about :], dtype=np.float64),
        rows[:, 1].astype(np.float64),
        _whole(rows[:, 0]) + _POSTGRES_EPOCH,
        np.ones(len(rows)),
        CATALOGUE.names,
        CATALOGUE.hash,
        as_known_at,
        tuple(feature.definition for feature in CATALOGUE.features),
        Payments(holders, amounts, declined == 1, np.stack(then, axis=1).astype(np.int8)),
    )


def _whole(column: Any) -> Ints:
    """Eight bytes that are an integer."""
    return column.view(">i8").astype(np.int64)  # type: ignore[no-any-return]


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
