"""Query for the values that decisions were served, with labels as known at one moment.

The values are those of the table decisions (docs/sql.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from psycopg import sql
from sqlalchemy import Engine

from domain.features import FeatureSet
from domain.features.kernel.arrays import Floats, Ints
from domain.features.payments import Payments
from domain.times import SECOND, from_rfc3339, to_datetime
from projections.readmodels.storage.connecting import transaction
from projections.readmodels.storage.driver import driver_cursor

# Binary COPY: a header, then per row a count of columns and per column its length and bytes. All
# columns have eight bytes and none is NULL, so that rows have one width and need no parsing.
_HEADER = 19
_TRAILER = 2
_POSTGRES_EPOCH = from_rfc3339("2000-01-01T00:00:00Z")

# Of the labels known then the last of the log counts (those of a transaction share a partition). A
# decision whose features were not read was served defaults: they say nothing about it.
_MATURED = """
    COALESCE((
      SELECT value FROM labels
      WHERE transaction_id = decision.transaction_id AND known_time <= {moment}
        AND known_time <= decision.timestamp + make_interval(secs => {seconds})
      ORDER BY source_offset DESC LIMIT 1
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
        ORDER BY transaction_id, source_offset DESC
      ) AS label USING (transaction_id)
      WHERE decision.known_time <= {moment} AND decision.timestamp < {moment} + interval '1 day'
        AND decision.feature_set = {feature_set}
        AND NOT decision.flags && ARRAY['features_unavailable', 'deadline_passed']
      ORDER BY decision.timestamp, decision.transaction_id COLLATE "C"
    ) TO STDOUT (FORMAT BINARY)
"""


@dataclass(frozen=True, slots=True)
class ServedValues:
    """One row per decision, by event time and transaction id.

    `times` [n] event time in microseconds UTC; `labels` [n] 1 fraud, 0 genuine, NaN for none;
    `vectors` [n, features], NaN for unknown.
    """

    times: Ints
    labels: Floats
    vectors: Floats
    payments: Payments

    def __len__(self) -> int:
        return len(self.times)


def served_values(
    engine: Engine, features: FeatureSet, maturities: Sequence[int], as_known_at: int
) -> ServedValues:
    """Of every decision known by then whose features were read, all of that set.

    Microseconds UTC. The statement may take minutes: `engine` must not bound its time. Raises
    UnavailableError.
    """
    columns = [
        sql.SQL("COALESCE(decision.features[{}], 'NaN')").format(place + 1)
        for place in range(len(features))
    ]
    moment = sql.Literal(to_datetime(as_known_at))
    matured = [
        sql.SQL(_MATURED).format(moment=moment, seconds=sql.Literal(maturity // SECOND))
        for maturity in maturities
    ]
    query = sql.SQL(_QUERY).format(
        matured=sql.SQL(", ").join(matured),
        columns=sql.SQL(", ").join(columns),
        moment=moment,
        feature_set=sql.Literal(features.hash),
    )
    last = 5 + len(maturities)
    with transaction(engine) as connection, driver_cursor(connection).copy(query) as copy:
        data = b"".join(bytes(block) for block in copy)
    rows = _parsed(data, last + len(features))
    holders, amounts, declined, *then = (_whole(rows[:, place]) for place in range(2, last))
    return ServedValues(
        _whole(rows[:, 0]) + _POSTGRES_EPOCH,
        rows[:, 1].astype(np.float64),
        np.ascontiguousarray(rows[:, last:], dtype=np.float64),
        Payments(holders, amounts, declined == 1, np.stack(then, axis=1).astype(np.int8)),
    )


def _whole(column: Any) -> Ints:
    """Eight bytes that are an integer."""
    return column.view(">i8").astype(np.int64)  # type: ignore[no-any-return]


def _parsed(data: bytes, columns: int) -> Any:
    """[n, columns] big-endian float64, a view of `data`."""
    row = np.dtype([("count", ">i2"), ("cells", [("length", ">i4"), ("value", ">f8")], columns)])
    number = (len(data) - _HEADER - _TRAILER) // row.itemsize
    return np.frombuffer(data, row, number, _HEADER)["cells"]["value"]
