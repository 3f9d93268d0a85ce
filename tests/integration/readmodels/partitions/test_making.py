"""Partitions are made for the months of the rows, of years back as well, by several at once."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from domain.features import CATALOGUE
from domain.times import DAY, HOUR, from_rfc3339
from projections.offline.adapters.postgres_vectors import PostgresVectors
from projections.offline.port import Written
from projections.readmodels.adapters.postgres import transactions_projection
from projections.readmodels.storage.connecting import transaction as in_transaction
from projections.readmodels.storage.feature_columns import ensure_feature_columns
from projections.readmodels.storage.time_partitions import (
    Partition,
    TimePartitions,
    following,
    month_of,
    partition_named,
)
from tests.builders.read_model_facts import (
    NOON,
    CheckedLog,
    imported,
    labelled,
    project_all,
    scored,
    submitted,
    transaction,
)
from tests.builders.table_contents import dump, rows
from tests.contract.vectors.contract import rows as vector_rows

NAMES = (
    "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = '{}'::regclass ORDER BY 1"
)
END = from_rfc3339("2024-03-31T23:59:59.999999Z")


@pytest.fixture(autouse=True)
def without_partitions(engine: Engine) -> None:
    with in_transaction(engine) as connection:
        for table in ("transactions", "decisions", "feature_vectors"):
            for name in partitions(engine, table):
                connection.execute(text(f"DROP TABLE {name}"))


def partitions(engine: Engine, table: str = "transactions") -> list[str]:
    return [row[0] for row in rows(engine, NAMES.format(table))]


def at(moment: str) -> int:
    return from_rfc3339(f"{moment}T12:00:00Z")


def test_months_of_this_year_and_the_last_and_years_before(engine: Engine) -> None:
    made = TimePartitions(engine, "transactions", lambda: NOON)
    made.ensure([at("2024-02-29"), at("2023-01-01"), at("2022-12-31"), at("1991-01-02")])
    years = ["transactions_1991", "transactions_2022"]
    assert partitions(engine) == [*years, "transactions_2023_01", "transactions_2024_02"]


def test_the_month_to_come_is_there_before_its_first_payment(engine: Engine) -> None:
    now = END
    made = TimePartitions(engine, "transactions", lambda: now)
    made.ensure([now])
    assert partitions(engine) == ["transactions_2024_03", "transactions_2024_04"]
    now += 1
    made.ensure([now])
    assert partitions(engine)[-1] == "transactions_2024_05"


def test_what_was_made_is_not_looked_for_again(engine: Engine) -> None:
    made = TimePartitions(engine, "transactions", lambda: NOON)
    made.ensure([NOON])
    engine.dispose()
    broken = replace_engine(made)
    broken.ensure([NOON + HOUR, NOON - 3 * DAY + HOUR * 72])
    with pytest.raises(AttributeError):
        broken.ensure([NOON - 40 * DAY])


def replace_engine(made: TimePartitions) -> TimePartitions:
    made._engine = None  # type: ignore[assignment]
    return made


def test_several_workers_at_once_make_each_partition_once(engine: Engine) -> None:
    times = [NOON - number * 30 * DAY for number in range(40)]

    def worker(_: int) -> None:
        TimePartitions(engine, "transactions", lambda: NOON).ensure(times)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(worker, range(4)))
    found = partitions(engine)
    assert len(found) == len(set(found)) > 14


def test_a_year_that_was_begun_by_months_goes_on_so(engine: Engine) -> None:
    TimePartitions(engine, "transactions", lambda: at("2022-06-01")).ensure([at("2022-05-05")])
    TimePartitions(engine, "transactions", lambda: NOON).ensure([at("2022-07-07")])
    assert partitions(engine) == ["transactions_2022_05", "transactions_2022_07"]


def test_rows_on_both_sides_of_a_month_and_of_long_ago_are_stored(engine: Engine) -> None:
    log = CheckedLog()
    for key, time in (("old", at("1990-01-01")), ("last", END), ("first", END + 1)):
        x = transaction(key, time)
        log.append(submitted(x), scored(x))
    project_all(transactions_projection(engine), log)
    names = "SELECT tableoid::regclass::text, transaction_id FROM {} ORDER BY timestamp"
    for table in ("transactions", "decisions"):
        assert rows(engine, names.format(table)) == [
            (f"{table}_1990", "old"),
            (f"{table}_2024", "last"),
            (f"{table}_2024", "first"),
        ]


def test_a_repetition_of_an_id_in_another_month_is_void_even_for_a_worker_without_memory(
    engine: Engine,
) -> None:
    log = CheckedLog()
    first, again = transaction("a", END), transaction("a", END + 1, merchant_id="m2")
    log.append(submitted(first), scored(first))
    project_all(transactions_projection(engine), log)
    before = dump(engine)
    log.append(submitted(again, digest="d2"), scored(again, digest="d2"))
    log.admit_all()
    project_all(transactions_projection(engine), log)
    assert dump(engine) == before
    counts = rows(engine, "SELECT sum(projected), sum(void) FROM projection_positions")
    assert counts == [(2, 2)]


def test_two_times_of_one_id_in_one_batch_are_one_row(engine: Engine) -> None:
    log = CheckedLog()
    log.append(submitted(transaction("a", END)), submitted(transaction("a", END + 1), digest="d2"))
    log.admit_all()
    project_all(transactions_projection(engine), log)
    assert rows(engine, "SELECT transaction_id, known_time FROM transaction_ids") == rows(
        engine, "SELECT transaction_id, known_time FROM transactions"
    )
    assert len(rows(engine, "SELECT FROM transactions")) == 1


def test_an_id_used_again_after_the_horizon_leaves_no_row_in_its_old_month(engine: Engine) -> None:
    log = CheckedLog()
    again = transaction("a", NOON + 451 * DAY)
    log.append(imported(transaction("a")), labelled("a", 1, NOON + DAY))
    project_all(transactions_projection(engine), log)
    log.append(submitted(again, digest="d2"), scored(again, digest="d2"))
    project_all(transactions_projection(engine), log)
    query = "SELECT transaction_id, timestamp FROM {}"
    assert (
        rows(engine, query.format("transactions"))
        == rows(engine, query.format("decisions"))
        == rows(engine, query.format("transaction_ids"))
    )
    assert rows(engine, "SELECT FROM labels") == []


def test_a_vector_whose_id_has_another_time_now_moves_to_its_month(engine: Engine) -> None:
    with in_transaction(engine) as connection:
        ensure_feature_columns(connection, CATALOGUE.names)
    store = PostgresVectors(engine)
    store.take_over()
    first = vector_rows(1.0, "a", "b")
    store.write(Written([first], {}))
    later = replace(first, times=[time + 400 * DAY for time in first.times])
    store.write(Written([later, replace(first, ids=["c", "d"])], {}))
    query = "SELECT transaction_id, event_timestamp FROM {} ORDER BY 1"
    found = rows(engine, query.format("feature_vectors"))
    assert found == rows(engine, query.format("feature_vector_ids"))
    assert [key for key, _ in found] == ["a", "b", "c", "d"]
    assert found[0][1] > found[2][1]


@given(st.integers(at("1990-01-01"), at("2100-01-01")))
def test_a_partition_holds_the_times_of_its_month(time: int) -> None:
    year, month = month_of(time)
    part = Partition("decisions", year, month)
    assert part.begin <= time < part.end == Partition("decisions", *following(year, month)).begin
    whole = Partition("decisions", year, None)
    assert whole.begin <= part.begin
    assert part.end <= whole.end
    assert [partition_named(each.name) for each in (part, whole)] == [part, whole]
    assert partition_named("decisions") is None
