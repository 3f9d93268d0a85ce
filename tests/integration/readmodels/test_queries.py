"""Queries of the read models: values as stated, filters, pages, accounting, named refusals."""

import time
from datetime import date

import pytest
from sqlalchemy import Engine

from domain.errors import InvalidInputError, UnavailableError
from domain.events import Outcome
from domain.times import DAY, HOUR, MINUTE
from eventlog.topics import TRANSACTIONS
from projections.readmodels.adapters.postgres import transactions_projection
from projections.readmodels.queries.read_models import ReadModels
from projections.readmodels.queries.results import DecisionFilter
from projections.readmodels.storage.connecting import build_engine
from projections.settings import PostgresSettings
from tests.builders.read_model_facts import (
    NOON,
    CheckedLog,
    labelled,
    project_all,
    scored,
    small_history,
    submitted,
    transaction,
)

OUTCOMES: tuple[Outcome, ...] = ("approve", "review", "decline")


def decide(log: CheckedLog, key: str, known: int, number: int = 0) -> None:
    x = transaction(
        key, known, customer_id=f"c{number % 2}", merchant_id=f"m{number % 3}", card_id=f"k{number}"
    )
    outcome = OUTCOMES[number % 3]
    log.append(submitted(x), scored(x, outcome, number / 10, known, model_id=f"v{number % 2}"))


@pytest.fixture
def log() -> CheckedLog:
    """Nine decisions a minute apart, the last three in the same microsecond."""
    made = CheckedLog()
    for number in range(9):
        decide(made, f"t{number}", NOON + min(number, 6) * MINUTE, number)
    return made


@pytest.fixture
def models(engine: Engine, log: CheckedLog) -> ReadModels:
    project_all(transactions_projection(engine), log)
    return ReadModels(engine)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (DecisionFilter(outcome="decline"), "t8 t5 t2"),
        (DecisionFilter(min_score=0.7), "t8 t7"),
        (DecisionFilter(since=NOON + MINUTE, until=NOON + 3 * MINUTE), "t2 t1"),
        (DecisionFilter(customer_id="c1", outcome="review"), "t7 t1"),
        (DecisionFilter(merchant_id="m0"), "t6 t3 t0"),
        (DecisionFilter(card_id="k4"), "t4"),
        (DecisionFilter(model_id="v1", min_score=0.4), "t7 t5"),
        (DecisionFilter(card_id="nobody"), ""),
    ],
)
def test_decisions_are_filtered(models: ReadModels, asked: DecisionFilter, expected: str) -> None:
    assert " ".join(d.transaction_id for d in models.decisions(asked).items) == expected


@pytest.mark.parametrize("limit", [1, 2, 4, 9])
def test_pages_hold_every_decision_once_and_newest_first(models: ReadModels, limit: int) -> None:
    found: list[str] = []
    cursor: str | None = None
    while True:
        page = models.decisions(DecisionFilter(), limit, cursor)
        found += [d.transaction_id for d in page.items]
        cursor = page.cursor
        if cursor is None:
            break
    assert found == [f"t{number}" for number in range(8, -1, -1)]


def test_later_decisions_shift_no_page(engine: Engine, models: ReadModels, log: CheckedLog) -> None:
    first = models.decisions(DecisionFilter(), limit=4)
    decide(log, "newer", NOON + HOUR)
    decide(log, "t6a", NOON + 6 * MINUTE)
    project_all(transactions_projection(engine), log)
    second = models.decisions(DecisionFilter(), limit=5, cursor=first.cursor)
    found = [d.transaction_id for d in [*first.items, *second.items]]
    assert found == ["t8", "t7", "t6", "t5", "t4", "t3", "t2", "t1", "t0"]


@pytest.mark.parametrize("cursor", ["", "x", "%%%", "W10", "bm90IGpzb24", "ümlaut"])
def test_a_cursor_that_is_not_ours_is_refused_by_name(models: ReadModels, cursor: str) -> None:
    with pytest.raises(InvalidInputError, match=r"^cursor: "):
        models.decisions(DecisionFilter(), cursor=cursor)


def test_a_cursor_of_other_filters_is_refused(models: ReadModels) -> None:
    cursor = models.decisions(DecisionFilter(), limit=2).cursor
    with pytest.raises(InvalidInputError, match="other filters"):
        models.decisions(DecisionFilter(outcome="review"), cursor=cursor)


@pytest.mark.parametrize("limit", [0, -1, 1001])
def test_a_limit_out_of_bounds_is_refused(models: ReadModels, limit: int) -> None:
    with pytest.raises(InvalidInputError, match=r"^limit: expected 1 to 1000"):
        models.decisions(DecisionFilter(), limit=limit)


def test_what_is_not_there_is_none(models: ReadModels) -> None:
    assert models.transaction("nothing") is None
    assert models.decision("nothing") is None
    assert models.current_label("nothing") is None
    assert models.labels_for_transaction("nothing") == []


def test_daily_figures_are_given_per_day(engine: Engine) -> None:
    project_all(transactions_projection(engine), small_history())
    models = ReadModels(engine)
    [first, second] = models.customer_days("anna", date(2024, 3, 1), date(2024, 3, 2))
    assert (first.day, first.transactions, first.declined, first.genuine) == (
        date(2024, 3, 1), 1, 1, 1,
    )  # fmt: skip
    assert (second.transactions, second.fraud, second.fraud_base_amount) == (1, 1, 1150)
    assert models.merchant_days("kiosk", date(2030, 1, 1), date(2030, 1, 2)) == []


def test_values_are_stored_as_they_were_stated(engine: Engine) -> None:
    log = CheckedLog()
    x = transaction("x", NOON + 1, ip="2001:db8::1", merchant_id="Café \\N \t\n☃")
    labels = labelled("x", 1, NOON + 30 * DAY), labelled("x", 0, NOON + 3 * DAY, "r2", "reversal")
    log.append(submitted(x), scored(x), *labels)
    project_all(transactions_projection(engine), log)
    models = ReadModels(engine)
    stored, decision = models.transaction("x"), models.decision("x")
    assert stored is not None
    assert decision is not None
    for name in ("timestamp", "amount", "base_amount", "ip", "merchant_id", "lat", "lon"):
        assert getattr(stored, name) == getattr(x, name)
    assert decision.features == [1.0, None, 0.1 + 0.2]
    assert decision.reasons == ["high_amount", 'odd "quote", comma']
    assert decision.versions == {"card": "0:5,1:9"}
    assert decision.timings_us == {"features": 812}
    assert [label.value for label in models.labels_for_transaction("x")] == [1, 0]


def test_counts_add_up_to_what_was_produced(engine: Engine) -> None:
    log, projection = small_history(), transactions_projection(engine)
    projection.assign(0)
    projection.project({0: log.records[0][:-1]})
    [sums] = ReadModels(engine).accounting({TRANSACTIONS.name: log.ends()})
    assert sums.in_flight == 1 + len(log.records[1])
    assert sums.dead == 1
    assert sums.unaccounted == 0
    project_all(projection, log)
    [sums] = ReadModels(engine).accounting({TRANSACTIONS.name: log.ends()})
    assert (sums.projected, sums.void, sums.dead, sums.in_flight) == (11, 5, 1, 0)
    assert sums.produced == sum(log.ends())


def test_a_missing_server_is_reported_within_seconds() -> None:
    url = "postgresql+psycopg://retrace:secret@127.0.0.1:1/retrace"
    engine = build_engine(PostgresSettings(url))
    begun = time.monotonic()
    with pytest.raises(UnavailableError, match=r"postgresql: .*refused"):
        ReadModels(engine).transaction("x")
    assert time.monotonic() - begun < 3


def test_missing_tables_are_reported_with_what_to_do(empty_database: str) -> None:
    engine = build_engine(PostgresSettings(empty_database))
    with pytest.raises(UnavailableError, match="run the migrations"):
        ReadModels(engine).transaction("x")
    engine.dispose()
