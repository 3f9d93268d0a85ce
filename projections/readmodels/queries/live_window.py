"""Queries for the monitoring of a model: its decisions and their labels within a window of time.

Every function blocks, and raises UnavailableError where PostgreSQL does not answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Engine, text

from domain.events import Thresholds
from domain.times import DAY, from_datetime, to_datetime
from projections.readmodels.storage.connecting import transaction

MOST_ROWS = 20_000
"""Enough to measure drift: two samples of this size differ by a PSI of .001 by chance."""

_IN_WINDOW = "known_time >= :since AND known_time < :until"
_OF_MODEL = f"model_hash = :model AND {_IN_WINDOW}"
# Decided by the model, on features that were read; the others tell nothing about its drift.
_WHOLE = "path = 'full' AND NOT flags && ARRAY['features_unavailable', 'deadline_passed']"

_COUNTS = f"""
    SELECT count(*), count(*) FILTER (WHERE whole),
      min(known_time) FILTER (WHERE whole), max(known_time) FILTER (WHERE whole)
    FROM (
      SELECT known_time,
        model_hash = :model AND {_WHOLE} AND feature_set = :feature_set AS whole
      FROM decisions WHERE (model_hash = :model OR path <> 'full') AND {_IN_WINDOW}
    ) AS decision
"""
# By a hash of the id, so that the same question gets the same sample.
_SAMPLE = f"""
    SELECT score, features FROM decisions
    WHERE {_OF_MODEL} AND {_WHOLE} AND feature_set = :feature_set
      AND abs(hashtext(transaction_id)::bigint) % :step = 0
    ORDER BY known_time, transaction_id
"""
_WEEK = "date_trunc('week', {}known_time, 'UTC')"
_DECIDED = f"""
    SELECT {_WEEK.format("")} AS week,
      count(*) FILTER (WHERE outcome <> 'decline'),
      coalesce(sum(score) FILTER (WHERE outcome <> 'decline'), 0),
      count(*) FILTER (WHERE outcome = 'decline')
    FROM decisions WHERE {_OF_MODEL} AND path = 'full'
    GROUP BY 1 ORDER BY 1
"""
# Of several labels of one transaction that were known by then the last of the log counts.
_FRAUDS = f"""
    SELECT week, count(*) FROM (
      SELECT DISTINCT ON (d.transaction_id) {_WEEK.format("d.")} AS week,
        l.value
      FROM decisions d JOIN labels l ON l.transaction_id = d.transaction_id
      WHERE d.model_hash = :model AND d.known_time >= :since AND d.known_time < :until
        AND d.path = 'full' AND (d.outcome = 'decline') = :declined AND l.known_time < :until
        AND l.known_time <= d.known_time + make_interval(days => :days)
      ORDER BY d.transaction_id, l.source_offset DESC
    ) AS labelled WHERE value = 1 GROUP BY 1
"""
_FOR_EVER = 36_500
# At the thresholds that the model was trained with: at others it catches other shares. The holder
# is as in training (domain/features/payments.py).
_REFERRED = f"""
    WITH known AS (
      SELECT DISTINCT ON (transaction_id) transaction_id, value
      FROM labels WHERE {_IN_WINDOW}
      ORDER BY transaction_id, source_offset DESC
    )
    SELECT floor(extract(epoch FROM :until - d.known_time) / 86400)::int,
      hashtextextended(coalesce(d.card_id, d.customer_id, d.transaction_id), 0),
      d.outcome <> 'approve', k.value
    FROM decisions d LEFT JOIN known k ON k.transaction_id = d.transaction_id
    WHERE d.model_hash = :model AND d.known_time >= :since AND d.known_time < :until
      AND d.path = 'full' AND d.outcome <> 'decline'
      AND (d.threshold_review, d.threshold_step_up, d.threshold_decline)
        = (:review, :step_up, :decline)
      AND (d.outcome <> 'approve' OR k.value = 1)
    ORDER BY d.known_time DESC, d.transaction_id LIMIT :most
"""
_MOST_REFERRED = 100_000


@dataclass(frozen=True, slots=True)
class LiveValues:
    """Decisions of one model and, as they name none, of the fallback rules: how many, how many of
    them whole, and an even sample of these.

    The whole ones reach over `span` microseconds. `vectors` [n, d] float32, NaN for unknown, in the
    order of the feature set; `scores` [n].
    """

    decisions: int
    whole: int
    span: int
    vectors: Any
    scores: Any


@dataclass(frozen=True, slots=True)
class WeekOfDecisions:
    """From `begin` on (microseconds UTC). `frauds` of those not declined, by days of maturity."""

    begin: int
    decided: int
    expected: float
    declined: int
    declined_frauds: int
    frauds: dict[int, int]


@dataclass(frozen=True, slots=True)
class ReferredPayments:
    """Payments that were not declined, those reviewed or stepped up and those known as fraud.

    Their age at the end in whole days, a number of their holder, whether they were reviewed or
    stepped up, and their label: 1, 0, or NaN for none; [n] each.
    """

    ages: Any
    holders: Any
    referred: Any
    labels: Any


@dataclass(frozen=True, slots=True)
class LiveWindow:
    """Decisions of one model with since <= known time < until; microseconds UTC."""

    engine: Engine
    model_hash: str
    since: int
    until: int

    def values(self, feature_set: str, features: int) -> LiveValues:
        """Of decisions that were made with this feature set of so many features."""
        given = self._given() | {"feature_set": feature_set}
        with transaction(self.engine) as connection:
            decisions, whole, first, last = connection.execute(text(_COUNTS), given).one()
            given["step"] = max(1, -(-whole // MOST_ROWS))
            rows = connection.execute(text(_SAMPLE), given).all()
        vectors = np.array([row[1] for row in rows], dtype=np.float32).reshape(len(rows), features)
        scores = np.array([row[0] for row in rows], np.float64)
        span = from_datetime(last) - from_datetime(first) if whole else 0
        return LiveValues(decisions, whole, span, vectors, scores)

    def weeks(self, maturities: Sequence[int]) -> list[WeekOfDecisions]:
        """The oldest first; a week begins on Monday, UTC."""
        with transaction(self.engine) as connection:
            decided = connection.execute(text(_DECIDED), self._given()).all()
            frauds = {days: self._frauds(connection, days, False) for days in maturities}
            declined = self._frauds(connection, _FOR_EVER, True)
        return [
            WeekOfDecisions(
                from_datetime(week),
                passed,
                float(expected),
                ended,
                declined.get(week, 0),
                {days: found.get(week, 0) for days, found in frauds.items()},
            )
            for week, passed, expected, ended in decided
        ]

    def referred(self, thresholds: Thresholds) -> ReferredPayments:
        """Of decisions at these thresholds, with labels as known at the end; the latest of many."""
        at = {
            "review": thresholds.review,
            "step_up": thresholds.step_up,
            "decline": thresholds.decline,
            "most": _MOST_REFERRED,
        }
        with transaction(self.engine) as connection:
            rows = connection.execute(text(_REFERRED), self._given() | at).all()
        ages, holders, referred, labels = zip(*rows, strict=True) if rows else ((),) * 4
        return ReferredPayments(
            np.array(ages, np.int64),
            np.array(holders, np.int64),
            np.array(referred, bool),
            np.array(labels, np.float64),
        )

    def _frauds(self, connection: Any, days: int, declined: bool) -> dict[Any, int]:
        given = self._given() | {"days": days, "declined": declined}
        return {row[0]: row[1] for row in connection.execute(text(_FRAUDS), given)}

    def _given(self) -> dict[str, Any]:
        since, until = to_datetime(self.since), to_datetime(self.until)
        return {"model": self.model_hash, "since": since, "until": until}


def reach(until: int, weeks: int = 26) -> int:
    """The beginning of the window of weeks that ends at `until`."""
    return max(0, until - weeks * 7 * DAY)
