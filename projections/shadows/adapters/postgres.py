"""ShadowStore in PostgreSQL: the table `shadow_scores`, and a position per shadow and partition."""

from collections.abc import Sequence

from sqlalchemy import Engine

from domain.errors import FencedError
from domain.policy.shadows import Shadow
from domain.times import from_datetime, to_datetime
from eventlog.topics import TRANSACTIONS
from projections.ports import Counts
from projections.readmodels.storage import positions
from projections.readmodels.storage.connecting import transaction
from projections.readmodels.storage.driver import Cursor, copy, driver_cursor
from projections.shadows.port import ServedDecision, ShadowScore

_COLUMNS = (
    "model_hash",
    "transaction_id",
    "score",
    "outcome",
    "unscored",
    "vector",
    "timestamp",
    "known_time",
    "source_topic",
    "source_partition",
    "source_offset",
)
_NOT_SERVED = ["features_unavailable", "deadline_passed"]
# One statement, so that rows and position belong together: a rebuild may begin at any time.
_DECISIONS = """
    SELECT p.next_offset, d.transaction_id, d.source_offset, d.timestamp, d.known_time,
      d.feature_set, d.features, NOT d.flags && %s
    FROM projection_positions p LEFT JOIN LATERAL (
      SELECT * FROM decisions
      WHERE source_partition = p.partition AND source_offset >= %s
        AND source_offset < p.next_offset
      ORDER BY source_offset LIMIT %s
    ) d ON TRUE
    WHERE p.projection = %s AND p.topic = %s AND p.partition = %s
    ORDER BY d.source_offset
"""
_DRAFT = "CREATE TEMP TABLE shadow_draft ON COMMIT DROP AS SELECT * FROM shadow_scores WITH NO DATA"
# Of an id used again the later transaction counts; the draft keeps their order.
_TAKE = """
    INSERT INTO shadow_scores ({columns}) SELECT DISTINCT ON (transaction_id) {columns}
    FROM shadow_draft ORDER BY transaction_id, source_offset DESC
    ON CONFLICT (model_hash, transaction_id) DO UPDATE SET {changes}
""".format(
    columns=", ".join(_COLUMNS),
    changes=", ".join(f"{name} = EXCLUDED.{name}" for name in _COLUMNS[2:]),
)


class PostgresShadows:
    """Implements projections.shadows.port.ShadowStore."""

    def __init__(self, engine: Engine, source: str = "readmodels") -> None:
        self._engine, self._source = engine, source
        self._epochs: dict[tuple[str, int], int] = {}

    def begin(self, shadow: Shadow, partition: int) -> int:
        name = _name(shadow)
        with transaction(self._engine) as connection:
            cursor = driver_cursor(connection)
            epoch, following = positions.take_over(cursor, name, TRANSACTIONS.name, partition)
            if epoch == 1:
                _remove_earlier(cursor, shadow, partition)
        self._epochs[(name, partition)] = epoch
        return max(following, shadow.start(partition))

    def reached(self) -> dict[int, int]:
        with transaction(self._engine) as connection:
            cursor = driver_cursor(connection)
            cursor.execute(
                "SELECT partition, next_offset FROM projection_positions"
                " WHERE projection = %s AND topic = %s",
                (self._source, TRANSACTIONS.name),
            )
            return dict(cursor.fetchall())

    def decisions(self, partition: int, start: int, most: int) -> tuple[list[ServedDecision], int]:
        asked = (_NOT_SERVED, start, most, self._source, TRANSACTIONS.name, partition)
        with transaction(self._engine) as connection:
            cursor = driver_cursor(connection)
            cursor.execute(_DECISIONS, asked, binary=True)
            rows = cursor.fetchall()
        found = [
            ServedDecision(key, at, from_datetime(moment), from_datetime(known), *rest)
            for _, key, at, moment, known, *rest in rows
            if key is not None
        ]
        if len(found) == most:
            return found, found[-1].offset + 1
        return found, max(rows[0][0], start) if rows else start

    def write(
        self, shadow: Shadow, partition: int, scores: Sequence[ShadowScore], following: int
    ) -> None:
        name = _name(shadow)
        epoch = self._epochs.get((name, partition))
        if epoch is None:
            raise FencedError(f"{name}: partition {partition} has not been taken over")
        with transaction(self._engine) as connection:
            cursor = driver_cursor(connection)
            held = positions.lock(cursor, name, TRANSACTIONS.name, {partition: epoch})
            start = held[partition]
            if following <= start:
                return
            fresh = [each for each in scores if each.offset >= start]
            if fresh:
                cursor.execute(_DRAFT)
                rows = (_row(shadow, partition, each) for each in fresh)
                copy(cursor, "shadow_draft", _COLUMNS, rows)
                cursor.execute(_TAKE)
            counts = {partition: Counts(projected=len(fresh))}
            positions.advance(cursor, name, TRANSACTIONS.name, {partition: following}, counts)


def _name(shadow: Shadow) -> str:
    return f"shadow.{shadow.model_hash[:16]}.{shadow.number}"


def _remove_earlier(cursor: Cursor, shadow: Shadow, partition: int) -> None:
    """Rows and positions of other shadows of the model: their writers are fenced."""
    cursor.execute(
        "DELETE FROM projection_positions WHERE projection LIKE %s AND projection <> %s"
        " AND topic = %s AND partition = %s",
        (f"shadow.{shadow.model_hash[:16]}.%", _name(shadow), TRANSACTIONS.name, partition),
    )
    cursor.execute(
        "DELETE FROM shadow_scores WHERE model_hash = %s AND source_partition = %s",
        (shadow.model_hash, partition),
    )


def _row(shadow: Shadow, partition: int, score: ShadowScore) -> tuple[object, ...]:
    return (
        shadow.model_hash,
        score.transaction_id,
        score.score,
        score.outcome,
        score.unscored,
        score.vector,
        to_datetime(score.timestamp),
        to_datetime(score.known_time),
        TRANSACTIONS.name,
        partition,
        score.offset,
    )
