"""Retention: months that are not kept are dropped, and no rebuild brings them back."""

import logging
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Engine, text

from domain.features import CATALOGUE
from domain.times import DAY, from_rfc3339
from projections.offline.adapters.postgres_vectors import PostgresVectors
from projections.offline.port import Progress, Written
from projections.readmodels.adapters.postgres import transactions_projection
from projections.readmodels.queries.read_models import ReadModels, forget
from projections.readmodels.retention import Retention, since_of
from projections.readmodels.storage.connecting import transaction as in_transaction
from projections.readmodels.storage.feature_columns import ensure_feature_columns
from tests.builders.read_model_facts import (
    NOON,
    CheckedLog,
    imported,
    labelled,
    project_all,
    scored,
    stepped_up,
    submitted,
    transaction,
)
from tests.builders.table_contents import dump, kept_daily, recomputed_daily, rows
from tests.contract.vectors.contract import rows as vector_rows

MARCH = from_rfc3339("2024-03-01T00:00:00Z")
ATTACHED = "SELECT inhrelid::regclass::text FROM pg_inherits ORDER BY 1"


@pytest.fixture(autouse=True)
def without_partitions(engine: Engine) -> None:
    with in_transaction(engine) as connection:
        for (name,) in rows(engine, ATTACHED + " DESC"):
            if not name.endswith("_pkey") and "_idx" not in name:
                connection.execute(text(f"DROP TABLE {name}"))
        connection.execute(text("TRUNCATE shadow_scores"))


def partitions(engine: Engine) -> list[str]:
    named = (
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname ~ '_[0-9]{4}(_[0-9]{2})?$'"
    )
    return sorted(row[0] for row in rows(engine, named))


def keeping(engine: Engine, months: int, now: int) -> Retention:
    return Retention(engine, months, lambda: now)


@pytest.fixture
def log(engine: Engine) -> CheckedLog:
    """Payments of 2020, January 2024 and March 2024; the fixed clock of partitions is today's."""
    log = CheckedLog()
    for key, time in (("y", MARCH - 1400 * DAY), ("j", MARCH - 50 * DAY), ("m", NOON)):
        x = transaction(key, time, merchant_id=f"of {key}")
        log.append(submitted(x), scored(x))
    for key, time in (("y", MARCH - 1400 * DAY), ("m", NOON)):
        log.append(stepped_up(key, "passed", time=time))
    for key, time in (("j", MARCH - 50 * DAY), ("m", NOON)):
        log.append(labelled(key, 1, NOON + DAY, time=time))
    project_all(transactions_projection(engine), log)
    return log


def ids(engine: Engine, table: str) -> list[str]:
    return [row[0] for row in rows(engine, f"SELECT transaction_id FROM {table} ORDER BY 1")]


def test_what_is_not_kept_goes_with_all_that_belongs_to_it(
    engine: Engine, log: CheckedLog, caplog: pytest.LogCaptureFixture
) -> None:
    with in_transaction(engine) as connection:
        for key, time in (("j", "2021-01-10Z"), ("m", "2024-03-01Z"), ("y", "2020-05-01Z")):
            connection.execute(
                text(
                    "INSERT INTO shadow_scores VALUES ('m', :key, 1, 'review', NULL, 'served',"
                    " :time, :time, 'x', 0, 1)"
                ),
                {"key": key, "time": time},
            )
    caplog.set_level(logging.INFO)
    dropped = keeping(engine, 38, NOON).step()
    assert dropped == ["transactions_2020", "decisions_2020"]
    assert (
        "transactions_2020 was dropped: transactions before 2021-01-01 are not kept" in caplog.text
    )
    assert ids(engine, "transactions") == ids(engine, "decisions") == ["j", "m"]
    # The id alone, for as long as it may not be used again.
    assert ids(engine, "transaction_ids") == ["j", "m", "y"]
    assert ids(engine, "shadow_scores") == ["j", "m"]
    assert ids(engine, "step_ups") == ["m"]
    assert [row[0] for row in kept_daily(engine, "merchant")] == [
        date(2024, 1, 11),
        date(2024, 3, 1),
    ]
    assert keeping(engine, 38, NOON).step() == []


def test_nothing_is_dropped_where_all_is_kept(engine: Engine, log: CheckedLog) -> None:
    before = dump(engine)
    retention = keeping(engine, 0, NOON)
    engine.dispose()
    assert since_of(engine) is None
    assert dump(engine) == before
    assert retention.months == 0


def test_a_year_stays_until_all_of_it_may_go(engine: Engine, log: CheckedLog) -> None:
    assert keeping(engine, 46, NOON).step() == []
    assert ids(engine, "transactions") == ["j", "m", "y"]
    assert since_of(engine) == from_rfc3339("2020-01-01T00:00:00Z")


def by_months(engine: Engine) -> None:
    """The partition of 2024, made long after, becomes one of months."""
    with in_transaction(engine) as connection:
        for table in ("transactions", "decisions"):
            connection.execute(text(f"ALTER TABLE {table} DETACH PARTITION {table}_2024"))
            for month, end in (("2024-01", "2024-02"), ("2024-03", "2024-04")):
                name = f"{table}_{month.replace('-', '_')}"
                connection.execute(
                    text(
                        f"CREATE TABLE {name} PARTITION OF {table}"
                        f" FOR VALUES FROM ('{month}-01Z') TO ('{end}-01Z')"
                    )
                )
            connection.execute(text(f"INSERT INTO {table} SELECT * FROM {table}_2024"))
            connection.execute(text(f"DROP TABLE {table}_2024"))


def test_months_go_one_by_one_and_labels_and_figures_with_them(
    engine: Engine, log: CheckedLog
) -> None:
    by_months(engine)
    keeping(engine, 1, NOON).step()
    assert partitions(engine) == ["decisions_2024_03", "transactions_2024_03"]
    assert ids(engine, "labels") == ids(engine, "transactions") == ["m"]
    for entity in ("merchant", "customer"):
        assert kept_daily(engine, entity) == recomputed_daily(engine, entity)


def test_a_rebuild_gives_what_is_kept_and_nothing_else(engine: Engine, log: CheckedLog) -> None:
    by_months(engine)
    keeping(engine, 1, NOON).step()
    kept = dump(engine)
    known = rows(engine, "SELECT * FROM transaction_ids ORDER BY 1")
    counted = rows(engine, "SELECT projected, void, dead FROM projection_positions ORDER BY 1")
    forget(engine)
    for size in (1, 100):
        project_all(transactions_projection(engine), log, size=size)
        assert dump(engine) == kept
        assert rows(engine, "SELECT * FROM transaction_ids ORDER BY 1") == known
        again = "SELECT projected, void, dead FROM projection_positions ORDER BY 1"
        assert rows(engine, again) == counted
        forget(engine)
    assert not [name for name in partitions(engine) if name.endswith(("_2020", "_01"))]


def test_what_came_late_for_a_dropped_month_is_counted_and_not_stored(
    engine: Engine, log: CheckedLog
) -> None:
    by_months(engine)
    keeping(engine, 1, NOON).step()
    before = dump(engine)
    late = transaction("late", MARCH - 40 * DAY)
    log.append(imported(late), labelled("j", 0, NOON + 2 * DAY, "r2", time=MARCH - 50 * DAY))
    project_all(transactions_projection(engine), log)
    assert dump(engine) == before
    assert rows(engine, "SELECT sum(projected), sum(void) FROM projection_positions") == [(12, 0)]


def test_an_id_of_a_dropped_month_is_still_taken(engine: Engine, log: CheckedLog) -> None:
    by_months(engine)
    keeping(engine, 1, NOON).step()
    assert ids(engine, "transaction_ids") == ["j", "m"]
    log.append(submitted(transaction("j", NOON), digest="d2"))
    log.admit_all()
    project_all(transactions_projection(engine), log)
    assert ids(engine, "transactions") == ["m"]


def test_what_a_process_that_was_killed_had_begun_is_ended(engine: Engine, log: CheckedLog) -> None:
    by_months(engine)
    retention = keeping(engine, 1, NOON)
    retention._move()
    with in_transaction(engine) as connection:
        connection.execute(text("ALTER TABLE transactions DETACH PARTITION transactions_2024_01"))
    assert ids(engine, "labels") == ["j", "m"]
    assert "transactions_2024_01" in retention.step()
    assert ids(engine, "labels") == ["m"]
    assert partitions(engine) == ["decisions_2024_03", "transactions_2024_03"]


def test_one_process_drops_at_a_time(engine: Engine, log: CheckedLog) -> None:
    with engine.connect() as other:
        other.execute(text("SELECT pg_advisory_lock(7265747262)"))
        assert keeping(engine, 38, NOON).step() == []
        other.execute(text("SELECT pg_advisory_unlock(7265747262)"))
    assert keeping(engine, 38, NOON).step() == ["transactions_2020", "decisions_2020"]


def test_reads_go_on_beside_it(engine: Engine, log: CheckedLog) -> None:
    keeping(engine, 38, NOON).step()
    models = ReadModels(engine)
    assert models.transaction("y") is None
    assert models.decision("y") is None
    assert models.transaction("m") is not None
    assert models.decision("m") is not None


def test_vectors_are_bounded_the_same_way(engine: Engine) -> None:
    with in_transaction(engine) as connection:
        ensure_feature_columns(connection, CATALOGUE.names)
    store = PostgresVectors(engine)
    store.take_over()
    made = Written([vector_rows(1.0, "a")], {0: Progress(1, projected=1)})
    store.write(made)
    now = from_rfc3339("2024-05-05T00:00:00Z")
    assert keeping(engine, 3, now).step() == ["feature_vectors_2023"]
    assert ids(engine, "feature_vector_ids") == []
    store.take_over()
    store.write(Written([vector_rows(1.0, "a")], {0: Progress(2, projected=1)}))
    assert ids(engine, "feature_vectors") == ids(engine, "feature_vector_ids") == []
    assert partitions(engine) == []
    at = rows(engine, "SELECT next_offset, projected FROM projection_positions WHERE partition = 0")
    assert at == [(2, 2)]


async def test_the_worker_asks_before_it_projects(engine: Engine) -> None:
    retention = keeping(engine, 2, NOON)
    await retention.begin()
    assert since_of(engine) == int(datetime(2024, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000
    await keeping(engine, 5, NOON).begin()
    assert since_of(engine) == int(datetime(2024, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000
    await keeping(engine, 0, NOON).run()
