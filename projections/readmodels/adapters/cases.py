"""Rows of cases: always made anew, from the alerts of a case and what was done about it.

So neither the order in which partitions are read nor a record that is read again changes them.
Suppressed alerts are work for nobody: they make no case, and a case does not count them.
"""

from collections.abc import Iterable

from domain.cases import DONE
from projections.readmodels.storage.driver import Cursor

_MADE = f"""
    INSERT INTO cases AS held (case_id, payer_kind, payer_id, alerts, declined, first_alert_time,
      last_alert_time, base_amount, expected_loss, state, assignee, verdict, handled_time,
      handled_by, awaiting)
    SELECT a.case_id, a.payer_kind, a.payer_id, a.alerts, a.declined, a.first_time, a.last_time,
      a.base_amount, a.expected_loss,
      CASE WHEN done.state IN {DONE} AND a.last_time > done.known_time THEN 'reopened'
        ELSE coalesce(done.state, 'open') END,
      given."to", done.verdict, done.known_time, done.by, asked.awaiting
    FROM (
      SELECT case_id, count(*) AS alerts, count(*) FILTER (WHERE outcome = 'decline') AS declined,
        min(raised_time) AS first_time, max(raised_time) AS last_time,
        coalesce(sum(base_amount), 0) AS base_amount,
        coalesce(sum(base_amount * score::numeric), 0) AS expected_loss,
        CASE WHEN min(customer_id) IS NOT NULL THEN 'customer' WHEN min(card_id) IS NOT NULL
          THEN 'card' ELSE 'transaction' END AS payer_kind,
        coalesce(min(customer_id), min(card_id), min(transaction_id)) AS payer_id
      FROM alerts WHERE case_id = ANY(%b) AND suppressed_by IS NULL GROUP BY case_id
    ) AS a
    LEFT JOIN LATERAL (
      SELECT state, verdict, known_time, by FROM case_events e
      WHERE e.case_id = a.case_id AND state IS NOT NULL ORDER BY source_offset DESC LIMIT 1
    ) AS done ON TRUE
    LEFT JOIN LATERAL (
      SELECT "to" FROM case_events e
      WHERE e.case_id = a.case_id AND "to" IS NOT NULL ORDER BY source_offset DESC LIMIT 1
    ) AS given ON TRUE
    CROSS JOIN LATERAL (
      SELECT count(*) AS awaiting FROM case_events e
      WHERE e.case_id = a.case_id AND e.action = 'request' AND NOT EXISTS (
        SELECT 1 FROM case_events done WHERE done.case_id = e.case_id AND done.request = e.event_id)
    ) AS asked
    ORDER BY a.case_id
    ON CONFLICT (case_id) DO UPDATE SET alerts = excluded.alerts, declined = excluded.declined,
      first_alert_time = excluded.first_alert_time, last_alert_time = excluded.last_alert_time,
      base_amount = excluded.base_amount, expected_loss = excluded.expected_loss,
      state = excluded.state, assignee = excluded.assignee, verdict = excluded.verdict,
      handled_time = excluded.handled_time, handled_by = excluded.handled_by,
      awaiting = excluded.awaiting
"""
_EMPTIED = """
    DELETE FROM cases WHERE case_id = ANY(%b)
      AND NOT EXISTS (SELECT 1 FROM alerts
        WHERE alerts.case_id = cases.case_id AND suppressed_by IS NULL)
"""


def make_cases(cursor: Cursor, case_ids: Iterable[str]) -> None:
    """After the rows of alerts and events are written, in the same transaction."""
    ids = sorted(case_ids)
    if not ids:
        return
    # Alerts of a case lie in several partitions, and so with several writers: the first statement
    # waits for whoever makes the same case, and the second sees what they committed.
    for _ in range(2):
        cursor.execute(_MADE, (ids,))
    cursor.execute(_EMPTIED, (ids,))
