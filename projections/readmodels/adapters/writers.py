"""Writers of folded batches: the SQL that brings rows and figures into their tables.

No statement here can meet a row of another partition, except the daily figures, which are added
to in the order of their keys so that two writers never deadlock.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Protocol

from psycopg import sql

from domain.times import from_datetime
from projections.ports import CheckedRecord, Counts
from projections.readmodels.fold import alerts
from projections.readmodels.fold import transactions as fold
from projections.readmodels.fold.rows import DECISION_COLUMNS, LABEL_COLUMNS, TRANSACTION_COLUMNS
from projections.readmodels.fold.transaction_state import (
    DayKey,
    Figures,
    Origin,
    TransactionState,
    differences,
)
from projections.readmodels.fold.transactions import Changes
from projections.readmodels.storage.driver import Cursor, copy
from projections.readmodels.storage.tables import FIGURES


class Writer(Protocol):
    """Folds records into rows; neither begins nor ends the transaction, nor moves positions."""

    def write(self, cursor: Cursor, batch: Sequence[CheckedRecord]) -> Mapping[int, Counts]:
        """Counts by partition. Raises UnfoldableError before anything is written."""
        ...


class TransactionsWriter:
    """Tables transactions, decisions, labels, merchant_daily and customer_daily."""

    def write(self, cursor: Cursor, batch: Sequence[CheckedRecord]) -> Mapping[int, Counts]:
        changes = fold.fold(batch, _stored(cursor, fold.ids_in(batch)))
        _write_rows(cursor, changes)
        for entity in ("merchant", "customer"):
            _write_daily(cursor, entity, differences(entity, changes.before, changes.after))
        return changes.counts


class AlertsWriter:
    """Tables alerts and model_alerts."""

    def write(self, cursor: Cursor, batch: Sequence[CheckedRecord]) -> Mapping[int, Counts]:
        ids = alerts.ids_in(batch)
        cursor.execute(
            "SELECT alert_id, raised_time, state = 'delivered' FROM alerts"
            " WHERE alert_id = ANY(%b)"
            " UNION ALL SELECT alert_id, raised_time, state = 'delivered' FROM model_alerts"
            " WHERE alert_id = ANY(%b)",
            (ids, ids),
        )
        stored = {row[0]: alerts.AlertState(from_datetime(row[1]), row[2]) for row in cursor}
        changes = alerts.fold(batch, stored)
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
        return changes.counts


def _stored(cursor: Cursor, ids: Sequence[str]) -> dict[str, TransactionState]:
    """The stored states of the ids, without entries for unknown ones."""
    states: dict[str, TransactionState] = {}
    if not ids:
        return states
    cursor.execute(
        "SELECT t.transaction_id, t.known_time, t.timestamp, t.base_amount, t.merchant_id,"
        " t.customer_id, d.outcome FROM transactions t LEFT JOIN decisions d"
        " ON d.transaction_id = t.transaction_id WHERE t.transaction_id = ANY(%b)",
        (ids,),
    )
    for key, known, moment, amount, merchant, customer, outcome in cursor:
        origin = Origin(from_datetime(known), from_datetime(moment), amount, merchant, customer)
        states[key] = TransactionState(origin, outcome)
    cursor.execute(
        "SELECT transaction_id, event_id, source_offset, value FROM labels"
        " WHERE transaction_id = ANY(%b)",
        (ids,),
    )
    for key, event_id, offset, value in cursor:
        states.setdefault(key, TransactionState()).labels[event_id] = (offset, value)
    return states


def _write_rows(cursor: Cursor, changes: Changes) -> None:
    _remove(cursor, ["transactions", "decisions", "labels"], "transaction_id", changes.replaced)
    copy(cursor, "transactions", TRANSACTION_COLUMNS, changes.transactions.values())
    copy(cursor, "decisions", DECISION_COLUMNS, changes.decisions.values())
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
