"""The offline worker on real servers: ideal vectors, complete after kills, through Feast."""

import asyncio
from collections.abc import Callable
from typing import Any

import psycopg

from domain.features import CATALOGUE
from domain.times import to_datetime
from eventlog.adapters.kafka import KafkaEventLog
from eventlog.archive.folder import ArchiveFolder
from eventlog.archive.history import History
from eventlog.topics import TRANSACTIONS
from host.clock import now_us
from projections.offline.port import projection_of
from projections.online.adapters.feast_repo import feature_store
from projections.replay.dataset import dataset
from projections.verification.postgres_side import digests, stored_vectors
from runtime.settings import Settings
from tests.builders.workers.history import decide, ideal, lay_down, transaction, until
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


def test_history_older_than_live_decisions_leaves_no_vector_without_it(
    start: Callable[[str], WorkerProcess],
    database: psycopg.Connection[Any],
    log: KafkaEventLog,
    settings: Settings,
) -> None:
    """A kill lies between the import and the end of what it makes anew."""
    decide(log, range(600, 640))
    worker = start("offline")
    until(lambda: rows(database) == 40, what="40 vectors")
    lay_down(log, range(600))
    until(lambda: rows(database) == 640, what="640 vectors")
    worker.kill()
    worker.start()
    ends = list(asyncio.run(log.ends(TRANSACTIONS)))
    until(lambda: positions(database) == ends, what="all positions at the ends of the log")
    assert worker.stop() == 0
    history = History(log, ArchiveFolder(settings.archive_url, TRANSACTIONS), ends)
    made = dataset(history.events(), CATALOGUE, as_known_at=now_us())
    stored = {
        int(mark): vector.tobytes()
        for marks, vectors in stored_vectors(database, CATALOGUE)
        for mark, vector in zip(marks, vectors, strict=True)
    }
    wanted = digests(made.transaction_ids.tolist()).tolist()
    different = [
        name
        for name, mark, vector in zip(made.transaction_ids, wanted, made.values, strict=True)
        if stored[mark] != vector.tobytes()
    ]
    assert (len(made), different) == (640, [])


def positions(database: psycopg.Connection[Any]) -> list[int]:
    found = database.execute(
        "SELECT next_offset FROM projection_positions WHERE projection = %s ORDER BY partition",
        (projection_of(CATALOGUE),),
    )
    return [int(each) for (each,) in found.fetchall()]


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
