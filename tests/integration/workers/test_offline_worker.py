"""The offline worker on real servers: ideal vectors, complete after kills, through Feast."""

from collections.abc import Callable
from typing import Any

import psycopg

from domain.features import CATALOGUE
from domain.times import to_datetime
from eventlog.adapters.kafka import KafkaEventLog
from projections.online.adapters.feast_repo import feature_store
from runtime.settings import Settings
from tests.builders.workers.history import ideal, lay_down, transaction, until
from tests.builders.workers.process import WorkerProcess


def rows(database: psycopg.Connection[Any]) -> int:
    found = database.execute("SELECT count(*) FROM feature_vectors").fetchone()
    return int(found[0]) if found else 0


def test_vectors_are_ideal_after_a_kill_and_feast_returns_them(
    start: Callable[[str], WorkerProcess],
    database: psycopg.Connection[Any],
    log: KafkaEventLog,
    applied: Settings,
) -> None:
    lay_down(log, range(400))
    worker = start("offline")
    until(lambda: rows(database) == 400, what="400 vectors")
    lay_down(log, range(400, 3000))
    until(lambda: rows(database) > 400, what="further vectors")
    worker.kill()
    worker.start()
    until(lambda: rows(database) == 3000, what="3000 vectors")
    assert worker.stop() == 0
    expected = ideal(log)
    columns = ", ".join(CATALOGUE.names)
    for identity, *values in database.execute(
        f"SELECT transaction_id, {columns} FROM feature_vectors"
    ):
        assert values == expected[identity], identity
    assert_feast_agrees(applied, expected)


def assert_feast_agrees(settings: Settings, expected: dict[str, list[float | None]]) -> None:
    import pandas as pd

    asked = [transaction(number) for number in (3, 1700, 2999)]
    frame = pd.DataFrame(
        {
            "transaction_id": [each.transaction_id for each in asked],
            "event_timestamp": [to_datetime(each.timestamp) for each in asked],
        }
    )
    store = feature_store(settings)
    service = store.get_feature_service("training")
    found = store.get_historical_features(frame, service).to_df().set_index("transaction_id")
    for each in asked:
        values = found.loc[each.transaction_id, list(CATALOGUE.names)]
        mine = [None if pd.isna(value) else float(value) for value in values]
        assert mine == expected[each.transaction_id]
