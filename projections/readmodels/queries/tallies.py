"""Query that counts decisions alike, with their labels as known at one moment.

The figures of the business and of rules are sums of these counts. Nothing is added up while rows
are written: a decision is one row whatever came twice, and a label counts whenever it comes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Engine, text

from domain.features.payments import MATURITIES, UNLABELLED
from domain.times import DAY, SECOND, to_datetime
from projections.readmodels.storage.connecting import transaction

COLUMNS = {
    "day": "(timestamp AT TIME ZONE 'UTC')::date",
    "merchant": "merchant_id",
    "model": "model_id",
    "version": "rules_version",
    "fired": "rules_fired",
    "shadow": "rules_shadow",
    "not_evaluable": "rules_not_evaluable",
}
"""What decisions may be told apart by. A day is in UTC."""

_WINDOW = "timestamp >= :since AND timestamp < :until AND d.known_time <= :now"
_OLD = [f"timestamp + make_interval(secs => {each // SECOND})" for each in MATURITIES]
_REACHED = " + ".join(f"({old} <= :now)::int" for old in _OLD)
# Of the labels known then the last of the log counts.
_LAST = "coalesce((array_agg(value ORDER BY l.source_offset DESC){})[1], -1)"
_MATURED = ", ".join(_LAST.format(f" FILTER (WHERE l.known_time <= {old})") for old in _OLD)
_COUNTED = "count(*), sum(base_amount)"
# All decisions as if none were labelled, then those that are once more: labels are few, and a scan
# without a join is cheap.
_QUERY = """
    WITH labelled AS (
      SELECT {columns}, outcome, base_amount, {reached} AS reached,
        {last} AS label, ARRAY[{matured}] AS matured
      FROM labels l JOIN decisions d USING (transaction_id)
      WHERE {window} AND l.known_time <= :now
      GROUP BY d.transaction_id, d.timestamp
    )
    SELECT {columns}, outcome, {reached} AS reached, NULL, NULL, {counted}
    FROM decisions d WHERE {window}
    GROUP BY {names}, outcome, reached
    UNION ALL
    SELECT {names}, outcome, reached, label, matured, {counted}
    FROM labelled GROUP BY {names}, outcome, reached, label, matured
"""
# What came of step-ups; also few.
_STEP_UPS = """
    SELECT {columns}, outcome, result, coalesce(last.value, -1) AS label, {counted}
    FROM step_ups s JOIN decisions d USING (transaction_id)
      LEFT JOIN LATERAL (
        SELECT value FROM labels l
        WHERE l.transaction_id = d.transaction_id AND l.known_time <= :now
        ORDER BY l.source_offset DESC LIMIT 1
      ) AS last ON TRUE
    WHERE {window} AND s.known_time <= :now
    GROUP BY {names}, outcome, result, label
"""
_UNLABELLED = (UNLABELLED,) * len(MATURITIES)


@dataclass(frozen=True, slots=True)
class Window:
    """Decisions with since <= event time < until that were known by `now`; microseconds UTC."""

    since: int
    until: int
    now: int


def window(since: int | None, until: int | None, now: int) -> Window:
    """The last 30 days unless told."""
    end = now if until is None else until
    return Window(end - 30 * DAY if since is None else since, end, now)


@dataclass(frozen=True, slots=True)
class Tally:
    """Decisions that are alike: how many, and the sum of their base amounts; negative for such as
    were counted before and are not so.

    `key` has the values of the columns asked for. `label` is as known now: 1 (fraud), 0 (genuine)
    or UNLABELLED. `matured` is the same as known at each of MATURITIES that the payments have
    reached.

    Decisions are counted once more by the `result` of their step-up, as `concluded` alone.
    """

    key: tuple[Any, ...]
    outcome: str
    label: int
    matured: tuple[int, ...]
    decisions: int
    base_amount: int
    concluded: int = 0
    concluded_base_amount: int = 0
    result: str | None = None


def tallies(engine: Engine, within: Window, columns: Sequence[str]) -> Iterator[Tally]:
    """By names of COLUMNS, at least one. Blocks; raises UnavailableError."""
    parts = {
        "columns": ", ".join(f"{COLUMNS[name]} AS {name}" for name in columns),
        "names": ", ".join(columns),
        "last": _LAST.format(""),
        "matured": _MATURED,
        "reached": _REACHED,
        "window": _WINDOW,
        "counted": _COUNTED,
    }
    given = {
        "since": to_datetime(within.since),
        "until": to_datetime(within.until),
        "now": to_datetime(within.now),
    }
    with transaction(engine) as connection:
        for row in connection.execute(text(_QUERY.format(**parts)), given):
            *key, outcome, reached, label, matured, count, amount = row
            unlabelled = _UNLABELLED[:reached]
            alike = partial(Tally, tuple(key), outcome)
            if label is None:
                yield alike(UNLABELLED, unlabelled, count, int(amount))
            else:
                yield alike(label, tuple(matured[:reached]), count, int(amount))
                # They were counted as unlabelled too.
                yield alike(UNLABELLED, unlabelled, -count, -int(amount))
        for row in connection.execute(text(_STEP_UPS.format(**parts)), given):
            *key, outcome, result, label, count, amount = row
            yield Tally(tuple(key), outcome, label, (), 0, 0, count, int(amount), result)
