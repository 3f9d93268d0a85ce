"""Batch projections in PostgreSQL: fences, rows and positions in one transaction.

The statements that write the rows are in writers.py.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import Engine

from domain.errors import FencedError
from eventlog.topics import ALERTS, TRANSACTIONS, Topic
from projections.ports import CheckedRecord, refuse_setback
from projections.readmodels.adapters.writers import AlertsWriter, TransactionsWriter, Writer
from projections.readmodels.storage import positions
from projections.readmodels.storage.connecting import transaction
from projections.readmodels.storage.driver import driver_cursor


class PostgresProjection:
    """Implements projections.ports.BatchProjection for one topic."""

    def __init__(self, engine: Engine, name: str, topic: Topic, writer: Writer) -> None:
        self._engine = engine
        self._writer = writer
        self._epochs: dict[int, int] = {}
        self._next: dict[int, int] = {}
        self.name = name
        self.topic = topic.name

    def assign(self, partition: int) -> int:
        with transaction(self._engine) as connection:
            epoch, following = positions.take_over(
                driver_cursor(connection), self.name, self.topic, partition
            )
        self._writer.forget()
        self._epochs[partition], self._next[partition] = epoch, following
        return following

    def project(self, batches: Mapping[int, Sequence[CheckedRecord]]) -> None:
        for partition in batches:
            if partition not in self._epochs:
                raise FencedError(f"{self.name}: partition {partition} of {self.topic} is not ours")
        epochs = {
            partition: self._epochs[partition] for partition, found in batches.items() if found
        }
        if not epochs:
            return
        self._writer.prepare(record for found in batches.values() for record in found)
        with transaction(self._engine) as connection:
            cursor = driver_cursor(connection)
            starts = positions.lock(cursor, self.name, self.topic, epochs)
            refuse_setback(self, self._next, starts)
            fresh = [
                record
                for partition, start in starts.items()
                for record in batches[partition]
                if record.position.offset >= start
            ]
            if not fresh:
                return
            counts = self._writer.write(cursor, fresh)
            following = {each.position.partition: each.position.offset + 1 for each in fresh}
            positions.advance(cursor, self.name, self.topic, following, counts)
        self._next.update(following)

    def revoke(self, partition: int) -> None:
        self._epochs.pop(partition, None)
        self._next.pop(partition, None)


def transactions_projection(engine: Engine, name: str = "readmodels") -> PostgresProjection:
    """Transactions, decisions, labels and daily figures from the topic of transactions."""
    return PostgresProjection(engine, name, TRANSACTIONS, TransactionsWriter(engine))


def alerts_projection(engine: Engine, name: str = "readmodels") -> PostgresProjection:
    """Alerts from the topic of alerts."""
    return PostgresProjection(engine, name, ALERTS, AlertsWriter())
