"""VectorStore in PostgreSQL: the table `feature_vectors`, which Feast's offline store reads."""

from collections.abc import Mapping

from psycopg import sql
from sqlalchemy import Engine

from domain.errors import FencedError
from domain.features import CATALOGUE, FeatureSet
from eventlog.topics import TRANSACTIONS
from projections.offline.adapters.vector_copy import HEADER, TRAILER, rows_as_binary
from projections.offline.port import Written, projection_of
from projections.offline.skew import Tally
from projections.ports import Counts
from projections.readmodels.storage import positions
from projections.readmodels.storage.connecting import transaction
from projections.readmodels.storage.driver import Cursor, driver_cursor

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


class PostgresVectors:
    """Implements projections.offline.port.VectorStore. One thread at a time."""

    def __init__(self, engine: Engine, features: FeatureSet = CATALOGUE) -> None:
        self._engine = engine
        self.features = features
        self._name = projection_of(features)
        self._epochs: dict[int, int] = {}
        columns = (*_FIXED, *features.names)
        names = sql.SQL(", ").join(map(sql.Identifier, columns))
        changes = sql.SQL(", ").join(
            sql.SQL("{0} = EXCLUDED.{0}").format(sql.Identifier(name)) for name in columns[1:]
        )
        self._draft = sql.SQL(
            "CREATE TEMP TABLE vectors_draft ON COMMIT DROP AS"
            " SELECT {names} FROM feature_vectors WITH NO DATA"
        ).format(names=names)
        self._copy = sql.SQL("COPY vectors_draft ({names}) FROM STDIN (FORMAT binary)").format(
            names=names
        )
        # Of an id used twice in a batch the last row counts; the draft keeps their order.
        self._take = sql.SQL(
            "INSERT INTO feature_vectors ({names}) SELECT DISTINCT ON (transaction_id) {names}"
            " FROM vectors_draft ORDER BY transaction_id, ctid DESC"
            " ON CONFLICT (transaction_id) DO UPDATE SET {changes}"
        ).format(names=names, changes=changes)

    def take_over(self) -> dict[int, int]:
        taken: dict[int, int] = {}
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
        with transaction(self._engine) as connection:
            cursor = driver_cursor(connection)
            # All of them: rows may come without progress, and a zombie must not write those.
            at = positions.lock(cursor, self._name, TRANSACTIONS.name, self._epochs)
            if any(at[partition] >= now.next for partition, now in written.progress.items()):
                # Committed when the connection was lost: counts must not be added twice.
                return
            if any(len(rows) for rows in written.rows):
                self._rows(cursor, written)
            self._tallies(cursor, written.tallies)
            if written.progress:
                following = {partition: now.next for partition, now in written.progress.items()}
                counts = {
                    partition: Counts(now.projected, now.void, now.dead)
                    for partition, now in written.progress.items()
                }
                positions.advance(cursor, self._name, TRANSACTIONS.name, following, counts)

    def _rows(self, cursor: Cursor, written: Written) -> None:
        cursor.execute(self._draft)
        with cursor.copy(self._copy) as copy:
            copy.write(HEADER)
            for rows in written.rows:
                for piece in rows_as_binary(
                    rows.ids, rows.times, rows.known, self.features.hash, rows.values
                ):
                    copy.write(piece)
            copy.write(TRAILER)
        cursor.execute(self._take)

    def _tallies(self, cursor: Cursor, tallies: Mapping[tuple[str, str], Tally]) -> None:
        if tallies:
            cursor.executemany(
                _TALLY,
                [
                    (self.features.hash, feature, lag, tally.compared, tally.different)
                    for (feature, lag), tally in sorted(tallies.items())
                ],
            )
