"""Retention of the tables that grow with every transaction: old partitions are dropped.

Off by default. What belongs to transactions of those months goes with them: labels, shadow scores,
daily figures. The log keeps all. Why so: docs/adr/0028-partitions-by-event-time.md.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from psycopg import sql
from sqlalchemy import Engine

from domain.errors import RetraceError
from domain.times import HOUR, SECOND, to_datetime, to_rfc3339
from projections.readmodels.fold.transactions import ID_HORIZON_US
from projections.readmodels.storage.connecting import transaction, translated_errors
from projections.readmodels.storage.driver import Cursor, driver_cursor
from projections.readmodels.storage.kept_months import ALWAYS, keep_since, seen_since
from projections.readmodels.storage.time_partitions import (
    TIME_COLUMNS,
    StoredPartition,
    start_of_month,
    stored_partitions,
)

logger = logging.getLogger(__name__)

# Any number, the same in every process: one of them drops at a time.
_TURN = 7_265_747_262
_AT_ONCE = 50_000
_PAUSE_SECONDS = HOUR // SECOND
# Of a detached partition: rows of other tables by its ids.
_BESIDE = {"transactions": ("labels", "step_ups"), "feature_vectors": ("feature_vector_ids",)}


@dataclass(frozen=True, slots=True)
class Retention:
    """Keeps this month and `months` whole ones before it; 0 for all. `clock`: microseconds UTC."""

    engine: Engine
    months: int
    clock: Callable[[], int]

    async def begin(self) -> None:
        """Before anything is projected: what is not kept is never written.

        Raises UnavailableError.
        """
        if self.months:
            await asyncio.to_thread(self._move)

    async def run(self) -> None:
        """For ever, and never ends the worker that it runs beside; at once where all is kept."""
        while self.months:
            try:
                await asyncio.to_thread(self.step)
            except RetraceError as error:
                logger.warning("retention: %s", error)
            except Exception:
                logger.exception("retention failed")
            await asyncio.sleep(_PAUSE_SECONDS)

    def step(self) -> list[str]:
        """Drops what is due, and what a process before this one had not dropped yet.

        Returns the names of the tables that it dropped. Raises UnavailableError.
        """
        self._move()
        with translated_errors(), self.engine.connect() as connection:
            # DETACH CONCURRENTLY, which stops nobody, is not for transactions.
            alone = connection.execution_options(isolation_level="AUTOCOMMIT")
            cursor = driver_cursor(alone)
            cursor.execute(f"SELECT pg_try_advisory_lock({_TURN})")
            if cursor.fetchone() != (True,):
                return []
            try:
                return _dropped(cursor)
            finally:
                cursor.execute(f"SELECT pg_advisory_unlock({_TURN})")

    def _move(self) -> None:
        target = _months_before(self.clock(), self.months)
        if target <= (since_of(self.engine) or ALWAYS):
            return
        with transaction(self.engine) as connection:
            cursor = driver_cursor(connection)
            # Nobody makes a partition meanwhile.
            cursor.execute(f"LOCK TABLE {', '.join(TIME_COLUMNS)} IN SHARE UPDATE EXCLUSIVE MODE")
            since = _at_an_edge(cursor, target)
            if keep_since(cursor, since):
                logger.info("transactions before %s are no longer kept", to_rfc3339(since))


def since_of(engine: Engine) -> int | None:
    """From which event time on rows are kept, microseconds UTC; None for all."""
    with transaction(engine) as connection:
        found = seen_since(driver_cursor(connection))
        return None if found == ALWAYS else found


def _months_before(now: int, months: int) -> int:
    moment = to_datetime(now)
    years, month = divmod(moment.year * 12 + moment.month - 1 - months, 12)
    return start_of_month(years, month + 1)


def _at_an_edge(cursor: Cursor, target: int) -> int:
    """No partition is dropped in part: those of a year stay until all of it may go."""
    stored = [part for table in TIME_COLUMNS for part in stored_partitions(cursor, table)]
    return min([target, *(part.begin for part in stored if part.begin < target < part.end)])


def _dropped(cursor: Cursor) -> list[str]:
    kept = seen_since(cursor)
    if kept == ALWAYS:
        return []
    since = to_datetime(kept)
    gone = [
        part
        for table in TIME_COLUMNS
        for part in stored_partitions(cursor, table)
        if part.end <= kept
    ]
    for part in gone:
        _drop(cursor, part)
        logger.info("%s was dropped: transactions before %s are not kept", part.name, since.date())
    if gone:
        limit = to_datetime(kept - ID_HORIZON_US)
        _delete(cursor, "transaction_ids", "timestamp < {0} AND known_time < {1}", since, limit)
        _delete(cursor, "shadow_scores", "timestamp < {0}", since)
        for table in ("merchant_daily", "customer_daily"):
            _delete(cursor, table, "day < {0}", since.date())
    return [part.name for part in gone]


def _drop(cursor: Cursor, part: StoredPartition) -> None:
    names = {"table": sql.Identifier(part.table), "part": sql.Identifier(part.name)}
    if part.attached:
        how = "FINALIZE" if part.detaching else "CONCURRENTLY"
        detach = sql.SQL("ALTER TABLE {table} DETACH PARTITION {part} ").format(**names)
        cursor.execute(detach + sql.SQL(how))
    for beside in _BESIDE.get(part.table, ()):
        cursor.execute(
            sql.SQL(
                "DELETE FROM {beside} AS held USING {part} AS gone"
                " WHERE held.transaction_id = gone.transaction_id"
            ).format(beside=sql.Identifier(beside), **names)
        )
    cursor.execute(sql.SQL("DROP TABLE {part}").format(**names))


def _delete(cursor: Cursor, table: str, condition: str, *values: object) -> None:
    """In pieces, each a transaction of its own."""
    statement = sql.SQL(
        "DELETE FROM {table} WHERE ctid = ANY(ARRAY("
        "SELECT ctid FROM {table} WHERE {condition} LIMIT {most}))"
    ).format(
        table=sql.Identifier(table),
        condition=sql.SQL(condition).format(*map(sql.Literal, values)),
        most=sql.Literal(_AT_ONCE),
    )
    while True:
        cursor.execute(statement)
        if cursor.rowcount < _AT_ONCE:
            return
