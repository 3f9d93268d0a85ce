"""Composition of the readers of positions: each projection's store is asked for its own."""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager

from eventlog.topics import ENTITIES, TRANSACTIONS
from operations.monitoring.projection_lag import PositionReaders
from projections.evidence.adapters.mongo import MongoEvidenceProjection, build_client
from projections.offline.port import projection_of
from projections.online.adapters.feast_repo import repo_config
from projections.online.adapters.feast_states import FeastStateStore
from projections.readmodels.storage.connecting import transaction
from projections.readmodels.storage.driver import driver_cursor
from projections.readmodels.storage.positions import positions_of
from projections.settings import MongoSettings
from runtime.composition.read_models import open_engine
from runtime.settings import Settings


@contextmanager
def open_positions(settings: Settings) -> Iterator[PositionReaders]:
    """Those of features and offline vectors follow the live generation. Thread-safe."""
    states = FeastStateStore(repo_config(settings))

    def features() -> Mapping[int, int]:
        covered = states.markers().covered(TRANSACTIONS.partitions, ENTITIES.partitions)
        return {partition: last + 1 for partition, last in covered.items()}

    with (
        closing(build_client(MongoSettings(settings.mongodb_url))) as client,
        open_engine(settings) as engine,
    ):
        evidence = MongoEvidenceProjection(client)

        def in_postgres(projection: str) -> Mapping[int, int]:
            with transaction(engine) as connection:
                return positions_of(driver_cursor(connection), projection, TRANSACTIONS.name)

        yield {
            "features": features,
            "offline": lambda: in_postgres(projection_of(states.features)),
            "readmodels": lambda: in_postgres("readmodels"),
            "evidence": lambda: {p: int(c["next_offset"]) for p, c in evidence.counts().items()},
        }
