"""Owns the VectorStore in PostgreSQL: the table that Feast's offline store reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from psycopg import sql
from sqlalchemy import Engine

from domain.errors import FencedError
from domain.features import CATALOGUE
from domain.times import to_datetime
from eventlog.topics import TRANSACTIONS
from projections.adapters.postgres import driver_cursor
from projections.feature_vectors import Progress, VectorRow
from projections.readmodels import positions
from projections.readmodels.connecting import transaction
from projections.readmodels.counting import Counts

_COLUMNS = ("transaction_id", "event_timestamp", "created", "feature_set", *CATALOGUE.names)
_NAMES = sql.SQL(", ").join(map(sql.Identifier, _COLUMNS))
_DRAFT = sql.SQL(
    "CREATE TEMP TABLE vectors_draft ON COMMIT DROP AS"
    " SELECT {names} FROM feature_vectors WITH NO DATA"
).format(names=_NAMES)
_COPY = sql.SQL("COPY vectors_draft ({names}) FROM STDIN").format(names=_NAMES)
_TAKE = sql.SQL(
    "INSERT INTO feature_vectors ({names}) SELECT {names} FROM vectors_draft"
    " ON CONFLICT (transaction_id) DO UPDATE SET {changes}"
).format(
    names=_NAMES,
    changes=sql.SQL(", ").join(
        sql.SQL("{0} = EXCLUDED.{0}").format(sql.Identifier(name)) for name in _COLUMNS[1:]
    ),
)


class PostgresVectors:
    """Implements projections.feature_vectors.VectorStore. One thread at a time."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        # A new set of features is a new projection: its positions begin at 0.
        self._name = f"offline.{CATALOGUE.hash}"
        self._epochs: dict[int, int] = {}

    def take_over(self) -> dict[int, int]:
        taken: dict[int, int] = {}
        with transaction(self._engine) as connection:
            cursor = driver_cursor(connection)
            for partition in range(TRANSACTIONS.partitions):
                self._epochs[partition], taken[partition] = positions.take_over(
                    cursor, self._name, TRANSACTIONS.name, partition
                )
        return taken

    def write(self, rows: Sequence[VectorRow], progress: Mapping[int, Progress]) -> None:
        if not self._epochs:
            raise FencedError("the offline vectors have not been taken over")
        latest = {row.transaction_id: row for row in rows}
        with transaction(self._engine) as connection:
            cursor = driver_cursor(connection)
            for partition in sorted(progress):
                epoch = self._epochs[partition]
                positions.lock(cursor, self._name, TRANSACTIONS.name, partition, epoch)
            if latest:
                cursor.execute(_DRAFT)
                with cursor.copy(_COPY) as copy:
                    for row in latest.values():
                        copy.write_row(_columns(row))
                cursor.execute(_TAKE)
            for partition, now in sorted(progress.items()):
                counts = Counts(now.projected, now.void, now.dead)
                positions.advance(
                    cursor, self._name, TRANSACTIONS.name, partition, now.next, counts
                )


def _columns(row: VectorRow) -> tuple[object, ...]:
    times = to_datetime(row.time), to_datetime(row.known_time)
    return (row.transaction_id, *times, CATALOGUE.hash, *row.values)
