"""`offline` worker: projects feature vectors into PostgreSQL, for training."""

from functools import partial

from eventlog.topics import TRANSACTIONS
from projections.faust.worker import Workload
from projections.offline.adapters.postgres_vectors import PostgresVectors
from projections.offline.worker import OfflineVectors
from projections.online.adapters.feast_repo import repo_config
from projections.online.adapters.feast_states import FeastStateStore
from projections.online.generation_watch import generation_watch
from projections.readmodels.storage.connecting import build_engine, transaction
from projections.readmodels.storage.feature_columns import ensure_feature_columns
from projections.settings import PostgresSettings
from runtime.processes.workload import Tools


def offline(tools: Tools) -> Workload:
    # Vectors offline are of the features that are served online.
    states = FeastStateStore(repo_config(tools.settings))
    states.adopt()
    engine = build_engine(PostgresSettings(tools.settings.database_url), writer=True)
    tools.closing.callback(engine.dispose)
    with transaction(engine) as connection:
        ensure_feature_columns(connection, states.features.names)

    def hold(partition: int, on: bool) -> None:
        tools.membership.hold(tools.worker.topic_prefix + TRANSACTIONS.name, partition, on)

    ends = partial(tools.log.ends, TRANSACTIONS)
    vectors = PostgresVectors(engine, states.features)
    offline = OfflineVectors(
        vectors, tools.admission(TRANSACTIONS), ends, hold, tools.progress.alive
    )
    return Workload({TRANSACTIONS: offline}, beside=[offline.watch, generation_watch(states)])
