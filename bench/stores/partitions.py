"""Benchmark of the projections into PostgreSQL: cost of a row, beside a plain COPY of the same.

    DATABASE_URL=... python -m bench.stores.partitions --transactions 40000

In a database of its own, which is dropped at the end. `imported` is history of so many months, in
the order of time; `mixed` the same in an order by card, so that each batch is of all months; `live`
are submitted and scored events of one month; `vectors` are rows of the offline projection. Seconds
are of the processor, of this process and of its connection's server together. The floor is a COPY
of the same rows of transactions into a table without an index.
"""

import os
import random
import statistics
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import psutil
import psycopg
import typer
from sqlalchemy import Engine, text

from bench.machine import write
from domain.events import Envelope, RulesApplied, Thresholds, TransactionImported, TransactionScored
from domain.events import TransactionSubmitted as Submitted
from domain.features import CATALOGUE
from domain.times import DAY, SECOND
from domain.transactions import Transaction
from eventlog.port import Position
from eventlog.topics import TRANSACTIONS
from migrations.upgrade import upgrade
from projections.offline.port import Progress, VectorRows, Written
from projections.ports import CheckedRecord
from projections.readmodels.fold.rows import TRANSACTION_COLUMNS, transaction_row
from projections.readmodels.queries.read_models import forget
from projections.readmodels.storage.connecting import build_engine, transaction
from projections.readmodels.storage.driver import copy, driver_cursor
from projections.settings import PostgresSettings
from runtime.composition.read_models import projections_into

_NOW = 1_700_000_000 * SECOND
_BATCH, _VECTORS = 2_000, 5_000


@dataclass(slots=True)
class Costs:
    """Per kind of work the microseconds of the processor for each row, by round."""

    engine: Engine
    found: dict[str, list[float]] = field(default_factory=dict)

    def measure(self, name: str, rows: int, work: Callable[[], None]) -> None:
        began = self._seconds()
        work()
        each = (self._seconds() - began) / rows * 1e6
        self.found.setdefault(name, []).append(each)

    def _seconds(self) -> float:
        with transaction(self.engine) as connection:
            server = psutil.Process(connection.scalar(text("SELECT pg_backend_pid()"))).cpu_times()
        return time.process_time() + server.user + server.system


def main(transactions: int = 40_000, months: int = 24, rounds: int = 5) -> None:
    with _database(os.environ["DATABASE_URL"]) as url:
        engine = build_engine(PostgresSettings(url, pool_size=1), writer=True)
        costs = Costs(engine)
        for number in range(rounds):
            _round(costs, number, transactions, months)
        engine.dispose()
    medians = {name: round(statistics.median(each), 1) for name, each in costs.found.items()}
    floor = medians.pop("floor")
    figures = {
        "rows": transactions,
        "months": months,
        "floor_cpu_us_per_row": floor,
        **{
            name: {"cpu_us_per_row": each, "times_floor": round(each / floor, 2)}
            for name, each in medians.items()
        },
    }
    write("partitions", figures)


def _round(costs: Costs, number: int, rows: int, months: int) -> None:
    chosen = random.Random(number)
    step = months * 30 * DAY // rows
    history = [_payment(f"h{number}-{at}", chosen, at * step) for at in range(rows)]
    by_card = sorted(history, key=lambda x: (x.card_id, x.timestamp))
    recent = [_payment(f"l{number}-{at}", chosen, at * SECOND) for at in range(rows // 2)]
    imports = [_imported(x) for x in history]
    for name, facts in (
        ("floor", imports),
        ("imported", imports),
        ("mixed", [_imported(x) for x in by_card]),
        ("live", [fact for x in recent for fact in (_submitted(x), _scored(x))]),
    ):
        records = [
            CheckedRecord(Position(TRANSACTIONS.name, 0, at), fact, "counts")
            for at, fact in enumerate(facts)
        ]
        work = _copied if name == "floor" else _projected
        costs.measure(name, len(records), partial(work, costs.engine, records))
    costs.measure("vectors", len(by_card), partial(_vectors, costs.engine, by_card))


def _copied(engine: Engine, records: list[CheckedRecord]) -> None:
    with transaction(engine) as connection:
        cursor = driver_cursor(connection)
        cursor.execute("DROP TABLE IF EXISTS floor")
        cursor.execute("CREATE TABLE floor (LIKE transactions)")
    for some in _pieces(records, _BATCH):
        with transaction(engine) as connection:
            rows = [transaction_row(r.envelope, r.position) for r in some if r.envelope]
            copy(driver_cursor(connection), "floor", TRANSACTION_COLUMNS, rows)


def _projected(engine: Engine, records: list[CheckedRecord]) -> None:
    forget(engine)
    projection, _ = projections_into(engine)
    projection.assign(0)
    for some in _pieces(records, _BATCH):
        projection.project({0: some})


def _vectors(engine: Engine, payments: list[Transaction]) -> None:
    with transaction(engine) as connection:
        connection.execute(text("TRUNCATE feature_vectors, projection_positions"))
    _, store = projections_into(engine)
    store.take_over()
    values = np.random.default_rng(1).random((_VECTORS, len(CATALOGUE)))
    for at, some in enumerate(_pieces(payments, _VECTORS)):
        times = [x.timestamp for x in some]
        rows = VectorRows([x.transaction_id for x in some], times, times, values[: len(some)])
        store.write(Written([rows], {0: Progress(at + 1)}))


def _pieces(whole: list[Any], most: int) -> Iterator[list[Any]]:
    for start in range(0, len(whole), most):
        yield whole[start : start + most]


def _payment(key: str, chosen: random.Random, age: int) -> Transaction:
    amount = 1 + chosen.randrange(50_000)
    return Transaction(
        transaction_id=f"{key}-{chosen.randrange(1 << 60):x}",
        timestamp=_NOW - age,
        amount=amount,
        currency="USD",
        base_amount=amount,
        card_id=f"tok_{chosen.randrange(2_000)}",
        customer_id=f"c{chosen.randrange(2_000)}",
        merchant_id=f"m{chosen.randrange(500)}",
        country="DE",
        channel="ecom",
    )


def _envelope(x: Transaction, data: Any) -> Envelope:
    return Envelope(
        id=f"{type(data).__name__}-{x.transaction_id}",
        source="bench",
        subject=x.transaction_id,
        time=x.timestamp,
        known_time=x.timestamp,
        data=data,
        correlation_id=x.transaction_id,
    )


def _imported(x: Transaction) -> Envelope:
    return _envelope(x, TransactionImported(transaction=x, digest="d", origin="f.csv", line=1))


def _submitted(x: Transaction) -> Envelope:
    return _envelope(x, Submitted(transaction=x, digest="d", mode="score", raw="{}"))


def _scored(x: Transaction) -> Envelope:
    data = TransactionScored(
        transaction=x,
        digest="d",
        score=0.1,
        outcome="approve",
        reasons=["rule.card_absent"],
        path="full",
        flags=[],
        model_id="m",
        model_hash="a" * 64,
        policy_version=1,
        thresholds=Thresholds(review=0.5, step_up=0.7, decline=0.9),
        feature_set=CATALOGUE.hash,
        features=[float(at) for at in range(len(CATALOGUE))],
        versions={"card": "1:2"},
        timings_us={"features": 100},
        fingerprint="bench",
        # One rule holds in a tenth of all payments, and three see something unknown.
        rules=RulesApplied(
            version=7,
            fired=[4] if x.base_amount % 10 == 0 else [],
            shadow=[],
            not_evaluable="0-2",
            score=0.1,
            words={"policy.r": "{amount} is much"} if x.base_amount % 10 == 0 else {},
            values={"amount": 12.5} if x.base_amount % 10 == 0 else {},
        ),
    )
    return _envelope(x, data)


@contextmanager
def _database(given: str) -> Iterator[str]:
    name = f"bench_{uuid.uuid4().hex}"
    with psycopg.connect(given.replace("+psycopg", "", 1), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
        try:
            url = f"{given.rpartition('/')[0]}/{name}"
            upgrade(url)
            yield url
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


if __name__ == "__main__":
    typer.run(main)
