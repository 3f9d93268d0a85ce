"""Owns the table of workers: which handlers each one runs, over which adapters."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from eventlog.adapters.kafka import KafkaEventLog
from eventlog.dead_letters import SetAside, dead_letter
from eventlog.port import Position
from eventlog.topics import ALERTS, ENTITIES, TRANSACTIONS, Topic
from host.clock import now_us
from projections.faust.admission import DeadLetter, RecordAdmission
from projections.faust.app import WorkerSettings
from projections.faust.assignors import SoleOwnerAssignor
from projections.faust.projection_handler import ProjectionHandler
from projections.faust.transport import BatchApp
from projections.faust.worker import BatchHandler
from runtime.settings import Settings


@dataclass(frozen=True, slots=True)
class Tools:
    """What a worker is built from; `closing` ends with the worker."""

    name: str
    settings: Settings
    worker: WorkerSettings
    app: BatchApp
    log: KafkaEventLog
    closing: ExitStack

    def dead_letter(self) -> DeadLetter:
        """Sets a record of this worker aside."""
        key = self.settings.dead_letter_key

        async def set_aside(position: Position, original: bytes, reason: str) -> None:
            record = SetAside(
                reader=self.name,
                origin=position.topic,
                partition=position.partition,
                offset=position.offset,
                reason=reason,
                original=original,
            )
            await dead_letter(self.log, record, key, now_us)

        return set_aside

    def admission(self, topic: Topic) -> RecordAdmission:
        """The first-wins rule holds for TRANSACTIONS alone."""
        path = self.worker.ledgers / f"{self.name}.sqlite" if topic is TRANSACTIONS else None
        admission = RecordAdmission(topic.name, path, self.dead_letter())
        self.closing.callback(admission.close)
        return admission


@dataclass(frozen=True, slots=True)
class Workload:
    """`beside` run as long as the worker does; one that fails ends the worker.

    `first` is done before it asks for partitions: what takes minutes after a long history keeps
    others from theirs meanwhile, and Faust from starting.
    """

    handlers: Mapping[Topic, BatchHandler]
    beside: Sequence[Callable[[], Awaitable[None]]] = ()
    first: Callable[[], Awaitable[None]] | None = None


Build = Callable[[Tools], Workload]


def _readmodels(tools: Tools) -> Workload:
    from operations.monitoring.watch import HealthWatch
    from projections.readmodels.adapters.postgres import alerts_projection, transactions_projection
    from projections.readmodels.storage.connecting import build_engine
    from projections.settings import PostgresSettings
    from runtime.processes.shadows import challengers

    engine = build_engine(PostgresSettings(tools.settings.database_url), writer=True)
    tools.closing.callback(engine.dispose)
    health = HealthWatch(tools.settings, engine, tools.log, f"retrace/{tools.name}", now_us)
    # Shadows score decisions as these tables take them up (docs/adr/0012).
    shadows = challengers(tools.settings, tools.log, engine, tools.closing)
    transactions = ProjectionHandler(
        transactions_projection(engine),
        tools.admission(TRANSACTIONS),
        tools.dead_letter(),
        shadows.own,
    )
    alerts = ProjectionHandler(
        alerts_projection(engine), tools.admission(ALERTS), tools.dead_letter()
    )
    return Workload(
        {TRANSACTIONS: transactions, ALERTS: alerts}, beside=[health.run, shadows.watch]
    )


def _evidence(tools: Tools) -> Workload:
    from projections.evidence.adapters.mongo import MongoEvidenceProjection, build_client
    from projections.settings import MongoSettings

    client = build_client(MongoSettings(tools.settings.mongodb_url))
    tools.closing.callback(client.close)
    projection = MongoEvidenceProjection(client)
    admission = tools.admission(TRANSACTIONS)
    return Workload({TRANSACTIONS: ProjectionHandler(projection, admission, tools.dead_letter())})


def _features(tools: Tools) -> Workload:
    from projections.online.adapters.feast_repo import repo_config
    from projections.online.adapters.feast_states import FeastStateStore
    from projections.online.generation_watch import generation_watch
    from projections.online.rebuild_flags import RebuildFlags
    from projections.online.router import Router
    from projections.online.writer import EntityWriter

    # Two hops lie between an event and its readable state.
    tools.app.fetch_wait_ms = 20
    states = FeastStateStore(repo_config(tools.settings))

    async def send(shard: int, value: bytes) -> object:
        return await tools.log.append_bytes(ENTITIES, None, value, shard)

    async def ends() -> Mapping[int, int]:
        return dict(enumerate(await tools.log.ends(TRANSACTIONS)))

    router = Router(states, tools.admission(TRANSACTIONS), send)
    writer = EntityWriter(states, tools.dead_letter(), RebuildFlags(states, ends))
    return Workload(
        {TRANSACTIONS: router, ENTITIES: writer},
        beside=[router.watch, writer.watch, generation_watch(states)],
    )


def _offline(tools: Tools) -> Workload:
    from projections.offline.adapters.postgres_vectors import PostgresVectors
    from projections.offline.worker import OfflineVectors
    from projections.online.adapters.feast_repo import repo_config
    from projections.online.adapters.feast_states import FeastStateStore
    from projections.online.generation_watch import generation_watch
    from projections.readmodels.storage.connecting import build_engine, transaction
    from projections.readmodels.storage.feature_columns import ensure_feature_columns
    from projections.settings import PostgresSettings

    # Vectors offline are of the features that are served online.
    states = FeastStateStore(repo_config(tools.settings))
    states.adopt()
    engine = build_engine(PostgresSettings(tools.settings.database_url), writer=True)
    tools.closing.callback(engine.dispose)
    with transaction(engine) as connection:
        ensure_feature_columns(connection, states.features.names)
    tools.app.assignor_class = SoleOwnerAssignor

    async def ends() -> Sequence[int]:
        return await tools.log.ends(TRANSACTIONS)

    def hold(partition: int, on: bool) -> None:
        tools.app.hold(tools.app.topic_prefix + TRANSACTIONS.name, partition, on)

    def alive() -> None:
        tools.app.progressed = time.monotonic()

    vectors = PostgresVectors(engine, states.features)
    offline = OfflineVectors(vectors, tools.admission(TRANSACTIONS), ends, hold, alive)
    return Workload({TRANSACTIONS: offline}, beside=[offline.watch, generation_watch(states)])


def _archive(tools: Tools) -> Workload:
    from eventlog.archive.folder import ArchiveFolder
    from projections.archive.worker import Archiver, Cut

    folder = ArchiveFolder(tools.settings.archive_url, TRANSACTIONS)
    cut = Cut(seconds=tools.settings.archive_seconds)

    async def ends() -> Sequence[int]:
        return await tools.log.ends(TRANSACTIONS)

    archiver = Archiver(folder, tools.admission(TRANSACTIONS), cut, ends, tools.log.read_one)
    return Workload({TRANSACTIONS: archiver}, beside=[archiver.watch])


def _decisions(tools: Tools) -> Workload:
    from runtime.processes.decisions import decisions

    return decisions(tools)


WORKERS: dict[str, Build] = {
    "decisions": _decisions,
    "features": _features,
    "offline": _offline,
    "readmodels": _readmodels,
    "evidence": _evidence,
    "archive": _archive,
}
