"""Writers of folded batches: the SQL that brings rows and figures into their tables.

No statement here can meet a row of another partition, except the daily figures, which are added
to in the order of their keys so that two writers never deadlock.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Protocol

import msgspec
from psycopg import sql
from sqlalchemy import Engine

from domain.times import from_datetime
from projections.ports import CheckedRecord, Counts
from projections.readmodels.adapters.cases import make_cases
from projections.readmodels.fold import alerts
from projections.readmodels.fold import transactions as fold
from projections.readmodels.fold.checked import Row
from projections.readmodels.fold.rows import (
    CASE_EVENT_COLUMNS,
    DECISION_COLUMNS,
    DELIVERY_COLUMNS,
    LABEL_COLUMNS,
    STEP_UP_COLUMNS,
    TRANSACTION_COLUMNS,
)
from projections.readmodels.fold.transaction_state import (
    DayKey,
    Figures,
    Origin,
    TransactionState,
    differences,
)
from projections.readmodels.fold.transactions import Changes
from projections.readmodels.storage.driver import Cursor, copy
from projections.readmodels.storage.id_copy import copy_ids
from projections.readmodels.storage.kept_months import kept_since
from projections.readmodels.storage.tables import FIGURES
from projections.readmodels.storage.time_partitions import TimePartitions

_FEATURES = DECISION_COLUMNS.index("features")
_to_json = msgspec.json.Encoder().encode
_BY_ID = ("transaction_ids", "transactions", "decisions", "step_ups", "labels")
ORIGINS = """
    SELECT t.transaction_id, t.known_time, t.timestamp, t.base_amount, t.merchant_id,
      t.customer_id, d.outcome, s.result IS NOT NULL
    FROM unnest(%b::text[], %b::timestamptz[]) AS kept (transaction_id, timestamp)
      JOIN transactions t USING (transaction_id, timestamp)
      LEFT JOIN decisions d ON d.transaction_id = t.transaction_id AND d.timestamp = t.timestamp
        AND d.timestamp BETWEEN %b AND %b
      LEFT JOIN step_ups s ON s.transaction_id = d.transaction_id
    WHERE t.timestamp BETWEEN %b AND %b
"""


class Writer(Protocol):
    """Folds records into rows; neither begins nor ends the transaction, nor moves positions."""

    def prepare(self, batch: Iterable[CheckedRecord]) -> None:
        """Before the transaction: makes the partitions that its rows may need."""
        ...

    def forget(self) -> None:
        """The database may be another one, or as it was before: look at it anew."""
        ...

    def write(self, cursor: Cursor, batch: Sequence[CheckedRecord]) -> Mapping[int, Counts]:
        """Counts by partition. Raises UnfoldableError before anything is written."""
        ...


class TransactionsWriter:
    """Tables transactions, decisions, step_ups, labels, merchant_daily and customer_daily."""

    def __init__(self, engine: Engine) -> None:
        self._transactions = TimePartitions(engine, "transactions")
        self._decisions = TimePartitions(engine, "decisions")

    def prepare(self, batch: Iterable[CheckedRecord]) -> None:
        origins, decisions = fold.days_in(batch)
        self._transactions.ensure_days(origins)
        self._decisions.ensure_days(decisions)

    def forget(self) -> None:
        self._transactions.forget()
        self._decisions.forget()

    def write(self, cursor: Cursor, batch: Sequence[CheckedRecord]) -> Mapping[int, Counts]:
        since = kept_since(cursor)
        changes = fold.fold(batch, _stored(cursor, fold.ids_in(batch), since), since)
        _write_rows(cursor, changes)
        for entity in ("merchant", "customer"):
            _write_daily(cursor, entity, differences(entity, changes.before, changes.after))
        return changes.counts


class AlertsWriter:
    """Tables alerts, model_alerts, alert_deliveries, case_events and cases."""

    def prepare(self, batch: Iterable[CheckedRecord]) -> None:
        pass

    def forget(self) -> None:
        pass

    def write(self, cursor: Cursor, batch: Sequence[CheckedRecord]) -> Mapping[int, Counts]:
        ids, events = alerts.ids_in(batch)
        cursor.execute(
            "SELECT alert_id, raised_time, state = 'delivered', case_id FROM alerts"
            " WHERE alert_id = ANY(%b)"
            " UNION ALL SELECT alert_id, raised_time, state = 'delivered', NULL FROM model_alerts"
            " WHERE alert_id = ANY(%b)",
            (ids, ids),
        )
        stored = {
            key: alerts.AlertState(from_datetime(raised), delivered, case)
            for key, raised, delivered, case in cursor
        }
        cursor.execute(
            "SELECT event_id FROM case_events WHERE event_id = ANY(%b)"
            " UNION ALL SELECT event_id FROM alert_deliveries WHERE event_id = ANY(%b)",
            (events, events),
        )
        changes = alerts.fold(batch, stored, {key for (key,) in cursor})
        for table, columns in alerts.COLUMNS.items():
            raised, delivered = changes.raised[table], changes.delivered[table]
            _remove(cursor, [table], "alert_id", raised.keys() & stored.keys())
            copy(cursor, table, columns, raised.values())
            cursor.executemany(
                sql.SQL(
                    "UPDATE {} SET state = 'delivered', delivered_time = %s, receiver = %s,"
                    " attempts = %s WHERE alert_id = %s"
                ).format(sql.Identifier(table)),
                [(*values, key) for key, values in delivered.items()],
            )
        copy(cursor, "alert_deliveries", DELIVERY_COLUMNS, changes.attempts.values())
        copy(cursor, "case_events", CASE_EVENT_COLUMNS, changes.handled.values())
        make_cases(cursor, changes.cases)
        return changes.counts


def _stored(cursor: Cursor, ids: Sequence[str], since: int) -> dict[str, TransactionState]:
    """The stored states of the ids, without entries for unknown ones."""
    states: dict[str, TransactionState] = {}
    if not ids:
        return states
    cursor.execute(
        "SELECT transaction_id, timestamp, known_time FROM transaction_ids"
        " WHERE transaction_id = ANY(%b)",
        (ids,),
    )
    kept: dict[str, datetime] = {}
    for key, moment, known in cursor:
        time = from_datetime(moment)
        if time >= since:
            kept[key] = moment
        else:
            states[key] = TransactionState(Origin(from_datetime(known), time, 0, None, None))
    if kept:
        _origins(cursor, kept, states)
    cursor.execute(
        "SELECT transaction_id, event_id, source_offset, value FROM labels"
        " WHERE transaction_id = ANY(%b)",
        (ids,),
    )
    for key, event_id, offset, value in cursor:
        states.setdefault(key, TransactionState()).labels[event_id] = (offset, value)
    return states


def _origins(
    cursor: Cursor, kept: Mapping[str, datetime], states: dict[str, TransactionState]
) -> None:
    """By id and time: each is looked up in its own partition, however many there are."""
    first, last = min(kept.values()), max(kept.values())
    cursor.execute(ORIGINS, (list(kept), list(kept.values()), first, last, first, last))
    for key, known, moment, amount, merchant, customer, outcome, stepped_up in cursor:
        origin = Origin(from_datetime(known), from_datetime(moment), amount, merchant, customer)
        states[key] = TransactionState(origin, outcome, stepped_up)


def _write_rows(cursor: Cursor, changes: Changes) -> None:
    _remove(cursor, _BY_ID, "transaction_id", changes.replaced)
    # First, and under a key of its own: it is what makes an id unique.
    copy_ids(cursor, changes.ids)
    copy(cursor, "transactions", TRANSACTION_COLUMNS, changes.transactions.values())
    copy(cursor, "decisions", DECISION_COLUMNS, map(_with_array, changes.decisions.values()))
    copy(cursor, "step_ups", STEP_UP_COLUMNS, changes.step_ups.values())
    copy(cursor, "labels", LABEL_COLUMNS, changes.labels.values())


def _remove(cursor: Cursor, names: Sequence[str], column: str, keys: Iterable[str]) -> None:
    gone = list(keys)
    for name in names if gone else ():
        cursor.execute(
            sql.SQL("DELETE FROM {} WHERE {} = ANY(%b)").format(
                sql.Identifier(name), sql.Identifier(column)
            ),
            (gone,),
        )


def _write_daily(cursor: Cursor, entity: str, changes: dict[DayKey, Figures]) -> None:
    if not changes:
        return
    names = {"table": sql.Identifier(f"{entity}_daily"), "key": sql.Identifier(f"{entity}_id")}
    keys = sorted(changes)
    columns = dict(zip(FIGURES, zip(*(changes[key] for key in keys), strict=True), strict=True))
    # Imported history changes two of them; the others are not sent.
    changed = {name: column for name, column in columns.items() if any(column)}
    cursor.execute(
        _add(tuple(changed)).format(**names),
        (
            _array([key[0] for key in keys]),
            [key[1] for key in keys],
            *map(_array, changed.values()),
        ),
    )
    if any(change < 0 for change in columns["transactions"]):
        # A rebuild makes no row for a day whose only transaction lost its id to a later one.
        cursor.execute(sql.SQL("DELETE FROM {table} WHERE transactions = 0").format(**names))


def _with_array(decision: Row) -> Row:
    """JSON of numbers and nulls is an array of PostgreSQL but for its brackets."""
    numbers = _to_json(decision[_FEATURES])[1:-1].decode()
    return (*decision[:_FEATURES], f"{{{numbers}}}", *decision[_FEATURES + 1 :])


def _array(numbers: Iterable[int]) -> str:
    # Much faster than psycopg's text form of a list.
    return f"{{{','.join(map(str, numbers))}}}"


@cache
def _add(changed: tuple[str, ...]) -> sql.SQL:
    return sql.SQL(
        "INSERT INTO {{table}} (day, {{key}}, {figures}) "
        "SELECT DATE '1970-01-01' + day, key, {values} "
        "FROM unnest(%s::int[], %b::text[], {arrays}) AS change (day, key, {columns}) "
        "ON CONFLICT (day, {{key}}) DO UPDATE SET {additions}".format(
            figures=", ".join(FIGURES),
            values=", ".join(name if name in changed else "0" for name in FIGURES),
            arrays=", ".join(["%s::numeric[]"] * len(changed)),
            columns=", ".join(changed),
            additions=", ".join(f"{name} = {{table}}.{name} + excluded.{name}" for name in changed),
        )
    )
