"""Reads that say a time, or an id alone, look into the partitions of that time and no others."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, event

from domain.features import CATALOGUE
from domain.times import DAY
from projections.offline.adapters.postgres_vectors import PostgresVectors
from projections.offline.port import VectorRows, Written
from projections.readmodels.adapters.postgres import transactions_projection
from projections.readmodels.adapters.writers import ORIGINS
from projections.readmodels.queries.pairs import pairs
from projections.readmodels.queries.read_models import ReadModels
from projections.readmodels.queries.results import DecisionFilter
from projections.readmodels.storage.connecting import transaction as in_transaction
from projections.readmodels.storage.feature_columns import ensure_feature_columns
from tests.builders.read_model_facts import CheckedLog, project_all, scored, submitted, transaction
from tests.contract.vectors.contract import rows as vector_rows

YEARS = range(2004, 2024, 4)
_PART = re.compile(r"\b(?:transactions|decisions|feature_vectors)_(\d{4})\b(?!_)")
# Those of an explained plan that were never executed were pruned while it ran.
_NEVER = re.compile(r"^.*never executed.*$", re.MULTILINE)


@pytest.fixture(autouse=True)
def _history(engine: Engine) -> None:
    """A payment of each year, decided, with its vector."""
    with in_transaction(engine) as connection:
        ensure_feature_columns(connection, CATALOGUE.names)
    log = CheckedLog()
    times = [time_of(year) for year in YEARS]
    for year, time in zip(YEARS, times, strict=True):
        x = transaction(f"of {year}", time)
        log.append(submitted(x), scored(x))
    project_all(transactions_projection(engine), log)
    store = PostgresVectors(engine)
    store.take_over()
    made = vector_rows(1.0, *(f"of {year}" for year in YEARS))
    store.write(Written([VectorRows(made.ids, times, times, made.values)], {}))


def time_of(year: int) -> int:
    return int(datetime(year, 6, 1, tzinfo=UTC).timestamp()) * 1_000_000


def read(engine: Engine, statement: str, given: Any = None) -> set[str]:
    """The years of the partitions that a statement reads."""
    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        with driver.cursor() as cursor:
            cursor.execute(f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) {statement}", given)
            plan = "\n".join(row[0] for row in cursor)
    return set(_PART.findall(_NEVER.sub("", plan)))


class Asked:
    """The statements that a query sends, each explained as it is sent."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.sent: list[tuple[str, Any]] = []
        event.listen(engine, "before_cursor_execute", self._note)

    def _note(self, _c: Any, _cursor: Any, statement: str, given: Any, *_rest: Any) -> None:
        if statement.lstrip().startswith(("SELECT", "WITH")):
            self.sent.append((statement, given))

    def years(self) -> set[str]:
        event.remove(self._engine, "before_cursor_execute", self._note)
        assert self.sent
        return set().union(*(read(self._engine, *each) for each in self.sent))


@pytest.mark.parametrize("name", ["transaction", "decision"])
def test_one_by_its_id(engine: Engine, name: str) -> None:
    asked = Asked(engine)
    assert getattr(ReadModels(engine), name)("of 2012") is not None
    assert asked.years() == {"2012"}


def test_pairs_of_models_within_a_time(engine: Engine) -> None:
    asked = Asked(engine)
    list(pairs(engine, "a" * 64, "b" * 64, time_of(2012) - DAY, time_of(2012) + DAY))
    assert asked.years() == {"2012"}


def test_decisions_known_until_a_moment_are_of_no_later_partition(engine: Engine) -> None:
    asked = Asked(engine)
    found = ReadModels(engine).decisions(DecisionFilter(until=time_of(2011)))
    assert [each.transaction_id for each in found.items] == ["of 2008", "of 2004"]
    assert asked.years() == {"2004", "2008"}


def test_a_later_page_of_decisions_is_of_no_later_partition(engine: Engine) -> None:
    models = ReadModels(engine)
    first = models.decisions(DecisionFilter(), 2)
    asked = Asked(engine)
    rest = models.decisions(DecisionFilter(), 50, first.cursor)
    assert [each.transaction_id for each in rest.items] == ["of 2012", "of 2008", "of 2004"]
    assert asked.years() == {"2004", "2008", "2012", "2016"}


def test_the_batch_of_a_projection(engine: Engine) -> None:
    keys, at = ["of 2012", "of 2008"], [datetime(2012, 6, 1, tzinfo=UTC)] * 2
    given = (
        keys,
        [at[0], datetime(2008, 6, 1, tzinfo=UTC)],
        *[at[0].replace(year=2008), at[0]] * 2,
    )
    assert read(engine, ORIGINS, given) == {"2008", "2012"}


def test_what_training_asks_feast(engine: Engine) -> None:
    asked = (
        "SELECT * FROM feature_vectors WHERE event_timestamp >= '2012-01-01Z'"
        " AND event_timestamp < '2013-01-01Z'"
    )
    assert read(engine, asked) == {"2012"}
    entities = (
        "SELECT max(event_timestamp) FROM feature_vectors WHERE event_timestamp < '2009-01-01Z'"
    )
    assert "2016" not in read(
        engine, f"SELECT * FROM feature_vectors WHERE event_timestamp <= ({entities})"
    )


def test_a_card_around_a_moment(engine: Engine) -> None:
    asked = (
        "SELECT * FROM transactions t LEFT JOIN decisions d USING (transaction_id, timestamp)"
        " WHERE t.card_id = 'tok_1' AND t.timestamp > timestamptz '2020-01-01Z'"
    )
    assert read(engine, asked) == {"2020"}
