"""Query of the transactions that two models, champion and challenger, have both scored."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Engine, text

from domain.times import from_datetime, to_datetime
from projections.readmodels.storage.connecting import transaction

_AT_ONCE = 5_000

# A model's own decision goes before its shadow score: it is what the customer got.
_IN_TIME = "timestamp >= :since AND timestamp < :until"
_SIDE = f"""
    SELECT transaction_id, timestamp, score, outcome, TRUE AS decided FROM decisions
    WHERE model_hash = :{{side}} AND path = 'full' AND {_IN_TIME}
    UNION ALL
    SELECT s.transaction_id, s.timestamp, s.score, s.outcome, FALSE FROM shadow_scores s
    WHERE s.model_hash = :{{side}} AND s.score IS NOT NULL AND {_IN_TIME} AND NOT EXISTS (
      SELECT FROM decisions d WHERE d.transaction_id = s.transaction_id
        AND d.timestamp = s.timestamp AND d.{_IN_TIME.replace("AND ", "AND d.")}
        AND d.model_hash = :{{side}} AND d.path = 'full'
    )
"""
# One statement: however much is projected meanwhile, it sees one moment.
_PAIRS = f"""
    WITH champion AS ({_SIDE.format(side="champion")}),
      challenger AS ({_SIDE.format(side="challenger")})
    SELECT t.transaction_id, t.timestamp,
      a.score, a.outcome, a.decided, b.score, b.outcome, b.decided,
      coalesce(d.outcome = 'decline', FALSE),
      (SELECT array_agg(l.known_time ORDER BY l.source_offset)
        FROM labels l WHERE l.transaction_id = t.transaction_id),
      (SELECT array_agg(l.value ORDER BY l.source_offset)
        FROM labels l WHERE l.transaction_id = t.transaction_id)
    FROM champion a JOIN challenger b USING (transaction_id, timestamp)
      JOIN transactions t USING (transaction_id, timestamp)
      LEFT JOIN (
        SELECT transaction_id, timestamp, outcome FROM decisions WHERE {_IN_TIME}
      ) d USING (transaction_id, timestamp)
    WHERE t.timestamp >= :since AND t.timestamp < :until
    ORDER BY t.timestamp, t.transaction_id
"""


@dataclass(frozen=True, slots=True)
class Said:
    """Score and outcome of a model for a transaction; `decided` where that was the decision."""

    score: float
    outcome: str
    decided: bool


@dataclass(frozen=True, slots=True)
class Pair:
    """A transaction scored by both. `declined` is what became of it, whoever decided.

    `labels` are (known time, value) in the log's order: of those known at a moment the last counts.
    Times are in microseconds UTC.
    """

    transaction_id: str
    timestamp: int
    champion: Said
    challenger: Said
    declined: bool
    labels: tuple[tuple[int, int], ...]


def pairs(engine: Engine, champion: str, challenger: str, since: int, until: int) -> Iterator[Pair]:
    """Of two model hashes, with since <= event time < until, by time; few at once are in memory.

    Raises UnavailableError.
    """
    asked = {
        "champion": champion,
        "challenger": challenger,
        "since": to_datetime(since),
        "until": to_datetime(until),
    }
    with transaction(engine) as connection:
        streamed = connection.execution_options(yield_per=_AT_ONCE)
        for row in streamed.execute(text(_PAIRS), asked):
            yield Pair(
                row[0],
                from_datetime(row[1]),
                Said(*row[2:5]),
                Said(*row[5:8]),
                row[8],
                tuple(zip(map(from_datetime, row[9] or ()), row[10] or (), strict=True)),
            )
