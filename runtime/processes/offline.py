"""`offline` worker: projects feature vectors into PostgreSQL, for training."""

import asyncio
from collections.abc import Iterator, Sequence
from functools import partial

from domain.events import (
    StepUpConcluded,
    TransactionImported,
    TransactionLabelled,
    TransactionScored,
)
from eventlog.archive.folder import ArchiveFolder
from eventlog.archive.history import CountingRecord, History
from eventlog.archive.identity import check_same_log
from eventlog.topics import TRANSACTIONS
from host.clock import now_us
from projections.offline.adapters.postgres_vectors import PostgresVectors
from projections.offline.state_file import SqliteStates
from projections.offline.worker import OfflinePorts, OfflineVectors
from projections.online.adapters.feast_repo import repo_config
from projections.online.adapters.feast_states import FeastStateStore
from projections.online.generation_watch import generation_watch
from projections.ports import Workload
from projections.readmodels.retention import Retention
from projections.readmodels.storage.connecting import build_engine, transaction
from projections.readmodels.storage.feature_columns import ensure_feature_columns
from projections.settings import PostgresSettings
from runtime.processes.workload import Tools

_FOLDED = frozenset(
    each.NAME
    for each in (TransactionScored, TransactionImported, TransactionLabelled, StepUpConcluded)
)


def offline(tools: Tools) -> Workload:
    # Vectors offline are of the features that are served online.
    states = FeastStateStore(repo_config(tools.settings))
    states.adopt()
    engine = build_engine(PostgresSettings(tools.settings.database_url), writer=True)
    tools.closing.callback(engine.dispose)
    with transaction(engine) as connection:
        ensure_feature_columns(connection, states.features.names)

    hold = partial(tools.hold, TRANSACTIONS)
    folder = ArchiveFolder(tools.settings.archive_url, TRANSACTIONS)

    async def past(upto: Sequence[int]) -> Iterator[CountingRecord]:
        pieces = await asyncio.to_thread(folder.pieces)
        ends = await tools.log.ends(TRANSACTIONS)
        await asyncio.to_thread(check_same_log, folder, pieces, ends, tools.log.read_one)
        return History(tools.log, folder, upto).counting(_FOLDED)

    kept = SqliteStates(tools.worker.ledgers / f"{tools.name}-states.sqlite")
    tools.closing.callback(kept.close)
    ports = OfflinePorts(
        PostgresVectors(engine, states.features),
        tools.admission(TRANSACTIONS),
        partial(tools.log.ends, TRANSACTIONS),
        past,
        kept,
        tools.worker.state_dir / "offline" / "ideal-order.sqlite",
    )
    settle = tools.settings.kafka().settle_seconds
    offline = OfflineVectors(ports, settle, hold, tools.progress.alive)
    beside = [offline.watch, offline.remake, generation_watch(states)]
    # Old partitions are dropped by the read models' worker; here they are not filled again.
    retention = Retention(engine, tools.settings.keep_months, now_us)
    return Workload({TRANSACTIONS: offline}, beside, first=retention.begin)
