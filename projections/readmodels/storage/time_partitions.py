"""Time partitions of the tables that grow with every transaction: of a month, or long ago a year.

A partition is made before rows are written, in a transaction of its own: two workers take turns,
and readers and writers do not wait. There is no default partition, which could not be divided
without a stop. Why by event time: docs/adr/0028-partitions-by-event-time.md.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from psycopg import sql
from sqlalchemy import Engine

from domain.times import DAY, from_datetime, to_datetime
from host.clock import now_us
from projections.readmodels.storage.connecting import transaction
from projections.readmodels.storage.driver import Cursor, driver_cursor
from projections.readmodels.storage.kept_months import kept_since

TIME_COLUMNS = {
    "transactions": "timestamp",
    "decisions": "timestamp",
    "feature_vectors": "event_timestamp",
}
_NAME = re.compile(rf"({'|'.join(TIME_COLUMNS)})_(\d{{4}})(?:_(\d\d))?")
_FIRST_DAY, _LAST_DAY = -719_000, 2_932_000  # of the years 1 to 9997
# Tables by the names of partitions: one that was detached and is not dropped yet is among them.
_STORED = """
    SELECT c.relname, i.inhrelid IS NOT NULL, coalesce(i.inhdetachpending, FALSE)
    FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
    WHERE c.relkind = 'r' AND c.relname ~ %s AND c.relnamespace =
      (SELECT relnamespace FROM pg_class WHERE oid = 'transactions'::regclass)
    ORDER BY c.relname
"""


@dataclass(frozen=True, slots=True)
class Partition:
    """A table of one month, or of one year where `month` is None."""

    table: str
    year: int
    month: int | None

    @property
    def name(self) -> str:
        return f"{self.table}_{self.year:04}" + (f"_{self.month:02}" if self.month else "")

    @property
    def begin(self) -> int:
        """Microseconds UTC, included."""
        return start_of_month(self.year, self.month or 1)

    @property
    def end(self) -> int:
        """Microseconds UTC, excluded."""
        return start_of_month(*following(self.year, self.month or 12))


@dataclass(frozen=True, slots=True)
class StoredPartition(Partition):
    """`detaching`: a detachment was begun and not ended."""

    attached: bool
    detaching: bool


def following(year: int, month: int) -> tuple[int, int]:
    """The month after."""
    return (year, month + 1) if month < 12 else (year + 1, 1)


def month_of(time: int) -> tuple[int, int]:
    """Year and month, UTC, of microseconds."""
    moment = to_datetime(time)
    return moment.year, moment.month


def partition_named(name: str) -> Partition | None:
    """None for a table that is no partition by its name."""
    found = _NAME.fullmatch(name)
    return (
        Partition(found[1], int(found[2]), int(found[3]) if found[3] else None) if found else None
    )


def stored_partitions(cursor: Cursor, table: str) -> list[StoredPartition]:
    cursor.execute(_STORED, (rf"^{table}_\d{{4}}(_\d\d)?$",))
    named = [(partition_named(name), attached, pending) for name, attached, pending in cursor]
    return [
        StoredPartition(part.table, part.year, part.month, attached, pending)
        for part, attached, pending in named
        if part is not None
    ]


class TimePartitions:
    """Those of one table. Remembers which days have theirs: a batch costs a look at its days."""

    def __init__(self, engine: Engine, table: str, clock: Callable[[], int] = now_us) -> None:
        self._engine, self._table, self._clock = engine, table, clock
        self._days: set[int] = set()

    def ensure(self, times: Iterable[int]) -> None:
        """As `ensure_days`, for event times in microseconds UTC."""
        self.ensure_days({time // DAY for time in times})

    def ensure_days(self, given: set[int]) -> None:
        """Makes what rows of these days (since 1970-01-01 UTC) need, and the month after this.

        Nothing for months that are no longer kept. Raises UnavailableError.
        """
        # What no calendar has is refused where the rows are made, by its place in the log.
        days = {day for day in given - self._days if _FIRST_DAY <= day < _LAST_DAY}
        if not days:
            return
        months = {month_of(day * DAY) for day in days}
        this = month_of(self._clock())
        # Ahead of need: the first payment of a month finds its partition.
        ahead = {following(*this)} if this in months else set()
        with transaction(self._engine) as connection:
            self._make(driver_cursor(connection), months | ahead, this[0])
        for month in months:
            self._days.update(
                range(start_of_month(*month) // DAY, start_of_month(*following(*month)) // DAY)
            )

    def forget(self) -> None:
        """Looks at the database anew: it may have been restored or rebuilt."""
        self._days.clear()

    def _make(self, cursor: Cursor, months: set[tuple[int, int]], this_year: int) -> None:
        # Held against others who make partitions or drop them, and nobody else.
        table = sql.Identifier(self._table)
        cursor.execute(sql.SQL("LOCK TABLE {} IN SHARE UPDATE EXCLUSIVE MODE").format(table))
        kept = kept_since(cursor)
        held = {(p.year, p.month): p for p in stored_partitions(cursor, self._table)}
        years = {year for (year, _), part in held.items() if part.attached}
        for year, month in sorted(months):
            part = Partition(self._table, year, month)
            if ((year, None) in held and held[year, None].attached) or part.end <= kept:
                continue
            # Decades of history by month would be hundreds of tables, all locked by each query.
            if year < this_year - 1 and year not in years:
                part = Partition(self._table, year, None)
            key = (part.year, part.month)
            if key in held and held[key].attached:
                continue
            if key in held:
                # Detached, and to be dropped: it is kept again.
                cursor.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(part.name)))
            self._attach(cursor, part)
            held[key] = StoredPartition(part.table, part.year, part.month, True, False)
            if part.month is not None:
                years.add(year)

    def _attach(self, cursor: Cursor, part: Partition) -> None:
        # Attached and not created as a partition: that would stop all readers and writers.
        names = {"table": sql.Identifier(part.table), "part": sql.Identifier(part.name)}
        cursor.execute(sql.SQL("CREATE TABLE {part} (LIKE {table})").format(**names))
        cursor.execute(
            sql.SQL(
                "ALTER TABLE {table} ATTACH PARTITION {part} FOR VALUES FROM ({a}) TO ({b})"
            ).format(**names, a=_literal(part.begin), b=_literal(part.end))
        )


def start_of_month(year: int, month: int) -> int:
    """Microseconds UTC."""
    return from_datetime(datetime(year, month, 1, tzinfo=UTC))


def _literal(time: int) -> sql.Literal:
    return sql.Literal(to_datetime(time).isoformat())
