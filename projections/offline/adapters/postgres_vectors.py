"""VectorStore in PostgreSQL: the table `feature_vectors`, which Feast's offline store reads."""

from collections.abc import Mapping, Sequence

from psycopg import sql
from sqlalchemy import Engine

from domain.errors import FencedError
from domain.features import CATALOGUE, FeatureSet
from domain.times import to_datetime
from eventlog.topics import TRANSACTIONS
from projections.offline.adapters.vector_copy import HEADER, TRAILER, rows_as_binary
from projections.offline.port import VectorRows, Written, projection_of
from projections.offline.skew import Tally
from projections.ports import Counts
from projections.readmodels.storage import positions
from projections.readmodels.storage.connecting import transaction
from projections.readmodels.storage.driver import Cursor, driver_cursor
from projections.readmodels.storage.kept_months import kept_since
from projections.readmodels.storage.time_partitions import TimePartitions

_FIXED = ("transaction_id", "event_timestamp", "created", "feature_set")
_FORGET = sql.SQL(
    "UPDATE projection_positions SET next_offset = 0, epoch = epoch + 1, projected = 0, void = 0,"
    " dead = 0 WHERE projection LIKE 'offline.%%' AND projection <> %s AND topic = %s"
)
_TALLY = sql.SQL(
    "INSERT INTO feature_consistency (feature_set, feature, lag, compared, different)"
    " VALUES (%s, %s, %s, %s, %s) ON CONFLICT (feature_set, feature, lag) DO UPDATE SET"
    " compared = feature_consistency.compared + EXCLUDED.compared,"
    " different = feature_consistency.different + EXCLUDED.different"
)

_IDS = "unnest(%b::text[], %b::timestamptz[]) AS given (transaction_id, event_timestamp)"
_HELD = (
    "SELECT transaction_id, event_timestamp FROM feature_vector_ids WHERE transaction_id = ANY(%b)"
)
_REMOVE = (
    f"DELETE FROM feature_vectors v USING {_IDS}"
    " WHERE v.transaction_id = given.transaction_id AND v.event_timestamp = given.event_timestamp"
)
_KEEP_IDS = (
    f"INSERT INTO feature_vector_ids AS held SELECT * FROM {_IDS} ON CONFLICT (transaction_id)"
    " DO UPDATE SET event_timestamp = excluded.event_timestamp"
    " WHERE held.event_timestamp <> excluded.event_timestamp"
)


class PostgresVectors:
    """Implements projections.offline.port.VectorStore. One thread at a time."""

    def __init__(self, engine: Engine, features: FeatureSet = CATALOGUE) -> None:
        self._engine = engine
        self.features = features
        self._name = projection_of(features)
        self._epochs: dict[int, int] = {}
        columns = (*_FIXED, *features.names)
        names = sql.SQL(", ").join(map(sql.Identifier, columns))
        self._copy = sql.SQL("COPY feature_vectors ({names}) FROM STDIN (FORMAT binary)").format(
            names=names
        )
        self._partitions = TimePartitions(engine, "feature_vectors")

    def take_over(self) -> dict[int, int]:
        taken: dict[int, int] = {}
        self._partitions.forget()
        with transaction(self._engine) as connection:
            cursor = driver_cursor(connection)
            # A transaction has one row, so rows of other feature sets are replaced from here on:
            # going back to such a set makes all rows again, and its zombie is fenced.
            cursor.execute(_FORGET, (self._name, TRANSACTIONS.name))
            for partition in range(TRANSACTIONS.partitions):
                self._epochs[partition], taken[partition] = positions.take_over(
                    cursor, self._name, TRANSACTIONS.name, partition
                )
        return taken

    def write(self, written: Written) -> None:
        if not self._epochs:
            raise FencedError("the offline vectors have not been taken over")
        self._partitions.ensure(time for rows in written.rows for time in rows.times)
        with transaction(self._engine) as connection:
            cursor = driver_cursor(connection)
            # All of them: rows may come without progress, and a zombie must not write those.
            at = positions.lock(cursor, self._name, TRANSACTIONS.name, self._epochs)
            if any(at[partition] >= now.next for partition, now in written.progress.items()):
                # Committed when the connection was lost: counts must not be added twice.
                return
            since = kept_since(cursor)
            rows = _kept(written.rows, since)
            if rows:
                self._rows(cursor, rows)
            self._tallies(cursor, written.tallies)
            if written.progress:
                following = {partition: now.next for partition, now in written.progress.items()}
                counts = {
                    partition: Counts(now.projected, now.void, now.dead)
                    for partition, now in written.progress.items()
                }
                positions.advance(cursor, self._name, TRANSACTIONS.name, following, counts)

    def _rows(self, cursor: Cursor, written: Sequence[VectorRows]) -> None:
        self._make_room(cursor, written)
        with cursor.copy(self._copy) as copy:
            copy.write(HEADER)
            for rows in written:
                for piece in rows_as_binary(
                    rows.ids, rows.times, rows.known, self.features.hash, rows.values
                ):
                    copy.write(piece)
            copy.write(TRAILER)

    def _make_room(self, cursor: Cursor, written: Sequence[VectorRows]) -> None:
        """Removes the stored rows of these ids, whatever their time, and keeps the new times."""
        ids = [key for rows in written for key in rows.ids]
        moments = [to_datetime(time) for rows in written for time in rows.times]
        cursor.execute(_HELD, (ids,))
        if held := cursor.fetchall():
            cursor.execute(_REMOVE, tuple(map(list, zip(*held, strict=True))))
        cursor.execute(_KEEP_IDS, (ids, moments))

    def _tallies(self, cursor: Cursor, tallies: Mapping[tuple[str, str], Tally]) -> None:
        if tallies:
            cursor.executemany(
                _TALLY,
                [
                    (self.features.hash, feature, lag, tally.compared, tally.different)
                    for (feature, lag), tally in sorted(tallies.items())
                ],
            )


def _kept(written: Sequence[VectorRows], since: int) -> list[VectorRows]:
    """Without those of months that are no longer kept; of an id used twice the last row."""
    last = {key: (n, at) for n, rows in enumerate(written) for at, key in enumerate(rows.ids)}
    whole = sum(map(len, written)) == len(last)
    if whole and all(min(rows.times, default=since) >= since for rows in written):
        return [rows for rows in written if len(rows)]
    left = [
        [at for at, key in enumerate(rows.ids) if last[key] == (n, at) and rows.times[at] >= since]
        for n, rows in enumerate(written)
    ]
    return [_part(rows, at) for rows, at in zip(written, left, strict=True) if at]


def _part(rows: VectorRows, at: list[int]) -> VectorRows:
    return VectorRows(
        [rows.ids[place] for place in at],
        [rows.times[place] for place in at],
        [rows.known[place] for place in at],
        rows.values[at],
    )
