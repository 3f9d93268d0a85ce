"""The projection into PostgreSQL under crashes, takeovers, lost memory and rows that do not fit."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine, text

from domain.errors import FencedError, UnavailableError
from domain.events import RulesApplied
from domain.times import HOUR
from eventlog.port import Position
from eventlog.topics import TRANSACTIONS
from projections.ports import CheckedRecord, Counts, UnfoldableError
from projections.readmodels.adapters.postgres import PostgresProjection, transactions_projection
from projections.readmodels.adapters.writers import TransactionsWriter
from projections.readmodels.queries.read_models import ReadModels
from projections.readmodels.storage.connecting import transaction as in_transaction
from projections.readmodels.storage.driver import Cursor
from tests.builders.read_model_facts import (
    NOON,
    CheckedLog,
    imported,
    project_all,
    scored,
    small_history,
    submitted,
    transaction,
)
from tests.builders.table_contents import dump


class HaltedWriter(TransactionsWriter):
    """Writes as the real one, then waits for `go_on`."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.writing, self.go_on = threading.Event(), threading.Event()

    def write(self, cursor: Cursor, batch: Sequence[CheckedRecord]) -> Mapping[int, Counts]:
        counts = super().write(cursor, batch)
        self.writing.set()
        assert self.go_on.wait(20)
        return counts


def crash(*_: object) -> None:
    raise RuntimeError("the process dies here")


def cut_connection(cursor: Cursor, engine: Engine) -> None:
    pid = cursor.connection.info.backend_pid
    with in_transaction(engine) as other:
        other.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})


@pytest.mark.parametrize(
    ("fail", "error", "named"),
    [(crash, RuntimeError, "dies here"), (cut_connection, UnavailableError, "postgresql")],
)
def test_a_failure_before_the_commit_leaves_nothing_and_the_retry_leaves_all(
    engine: Engine, fail: Callable[[Cursor, Engine], None], error: type[Exception], named: str
) -> None:
    failures = [fail]

    class FailingWriter(TransactionsWriter):
        def write(self, cursor: Cursor, batch: Sequence[CheckedRecord]) -> Mapping[int, Counts]:
            counts = super().write(cursor, batch)
            if failures:
                failures.pop()(cursor, engine)
            return counts

    records = small_history().records[0]
    projection = PostgresProjection(engine, "readmodels", TRANSACTIONS, FailingWriter(engine))
    projection.assign(0)
    with pytest.raises(error, match=named):
        projection.project({0: records})
    assert not any(dump(engine).values())
    projection.project({0: records})
    assert transactions_projection(engine).assign(0) == len(records)


def test_a_takeover_waits_for_the_batch_under_way_and_goes_on_behind_it(engine: Engine) -> None:
    log, writer = small_history(), HaltedWriter(engine)
    slow = PostgresProjection(engine, "readmodels", TRANSACTIONS, writer)
    slow.assign(0)
    at_work = threading.Thread(target=slow.project, args=({0: log.records[0]},))
    at_work.start()
    assert writer.writing.wait(20)
    starts: list[int] = []
    taking_over = threading.Thread(
        target=lambda: starts.append(transactions_projection(engine).assign(0))
    )
    taking_over.start()
    writer.go_on.set()
    at_work.join(20)
    taking_over.join(20)
    assert starts == [len(log.records[0])]


def test_a_position_that_went_back_is_refused(engine: Engine) -> None:
    log, projection = small_history(), transactions_projection(engine)
    projection.assign(0)
    projection.project({0: log.records[0][:2]})
    with in_transaction(engine) as connection:
        connection.execute(text("UPDATE projection_positions SET next_offset = 0"))
    with pytest.raises(FencedError, match="went back"):
        projection.project({0: log.records[0][2:]})


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"merchant_id": "a\0b"}, "merchant_id: holds a NUL"),
        ({"base_amount": 2**63}, "base_amount: 9223372036854775808 is beyond"),
        ({"customer_id": "x" * 801}, "customer_id: longer than 800"),
        ({"timestamp": 10**18}, "date value out of range"),
    ],
)
def test_what_a_table_cannot_hold_is_named(
    engine: Engine, given: dict[str, Any], reason: str
) -> None:
    projection = transactions_projection(engine)
    fact = imported(replace(transaction("bad"), **given))
    fact = replace(fact, time=NOON, known_time=NOON)
    projection.assign(0)
    with pytest.raises(UnfoldableError, match=reason):
        projection.project({0: [CheckedRecord(Position(TRANSACTIONS.name, 0, 0), fact, "counts")]})


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"fired": [40_000]}, r"rules: \[40000\] are no numbers of rules"),
        ({"shadow": [-1]}, r"rules: \[-1\] are no numbers of rules"),
        ({"words": {"policy.a": "a\0b"}}, "words: hold a NUL"),
    ],
)
def test_what_a_row_cannot_hold_of_rules_is_named(
    engine: Engine, given: dict[str, Any], reason: str
) -> None:
    projection = transactions_projection(engine)
    projection.assign(0)
    x = transaction("bad")
    rules = replace(
        RulesApplied(version=1, fired=[], shadow=[], not_evaluable="", score=0.5), **given
    )
    facts = [submitted(x), scored(x, rules=rules)]
    with pytest.raises(UnfoldableError, match=reason):
        projection.project(
            {
                0: [
                    CheckedRecord(Position(TRANSACTIONS.name, 0, at), fact, "counts")
                    for at, fact in enumerate(facts)
                ]
            }
        )


def test_a_worker_without_memory_of_ids_cannot_replace_rows(engine: Engine) -> None:
    log, projection = CheckedLog(partitions=1), transactions_projection(engine)
    x = transaction("x")
    log.append(submitted(x), scored(x, "decline"))
    project_all(projection, log)
    before = dump(engine)
    again = [submitted(transaction("x", amount=1), NOON + HOUR, "d2"), scored(x, "approve")]
    forgetful = [
        CheckedRecord(Position(TRANSACTIONS.name, 0, 2 + n), fact, "counts")
        for n, fact in enumerate(again)
    ]
    projection.project({0: forgetful})
    assert dump(engine) == before
    [sums] = ReadModels(engine).accounting({TRANSACTIONS.name: [4]})
    assert (sums.projected, sums.void) == (2, 2)
