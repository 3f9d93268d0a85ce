"""Workloads of the workers, put together as runtime.processes does it, over simulated servers."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import httpx

from commands import (
    Context,
    DecideTransaction,
    SubmitTransaction,
    decide_transaction,
    submit_transaction,
)
from commands.agents.alert_webhook import AlertWebhook
from commands.agents.inbox import InboxAgent
from commands.agents.label_retry import LabelRetry
from commands.agents.parked_labels import ParkedLabels
from commands.agents.scoring_agent import ScoringAgent
from commands.intake.payload import parse_payload
from commands.labels.label import READER
from commands.labels.retry import open_early_label, record_early_label
from domain.errors import InvalidInputError, RetraceError
from eventlog.archive.folder import ArchiveFolder
from eventlog.archive.history import CountingRecord, History
from eventlog.dead_letters import DeadRecord, dead_letter
from eventlog.port import Position
from eventlog.settings import KafkaSettings
from eventlog.topics import ALERTS, DEAD_LETTERS, ENTITIES, INBOX_TRANSACTIONS, TRANSACTIONS, Topic
from faults.installation.deciding import DEAD_LETTER_KEY, context_of
from faults.installation.hosts import Host, Servers
from faults.installation.receiver import URL
from faults.loop.clock import wall_clock
from faults.loop.process import Process
from faults.servers.disk import FileMemory
from faults.servers.kafka_client import SimulatedLog
from faults.servers.kafka_group import SimulatedMembership
from faults.servers.postgres import SimulatedProjection, SimulatedVectors
from faults.servers.redis import SimulatedStates
from projections.faust.admission import DeadLetter, RecordAdmission
from projections.faust.progress import Progress
from projections.faust.projection_handler import ProjectionHandler
from projections.offline.worker import OfflinePorts, OfflineVectors
from projections.online.rebuild_flags import RebuildFlags
from projections.online.router import Router
from projections.online.writer import EntityWriter
from projections.ports import Workload

INBOX_READER = "ingress"
_CATCH_UP_SECONDS = 3600.0
# The archive is no server of the simulation: what is read is the log alone.
_NO_ARCHIVE = ArchiveFolder("no archive", TRANSACTIONS)


@dataclass(frozen=True, slots=True)
class Bench:
    """What a workload is built from."""

    servers: Servers
    host: Host
    process: Process
    reader: str
    log: SimulatedLog
    membership: SimulatedMembership
    progress: Progress
    again: Callable[[], None]

    def memory(self, name: str) -> FileMemory:
        return FileMemory(self.host.disk.file(f"{self.process.name}-{name}"))

    @property
    def clock(self) -> Callable[[], int]:
        return wall_clock(self.servers.loop, self.host.skew)

    def dead_letter(self) -> DeadLetter:
        async def set_aside(position: Position, original: bytes, reason: str) -> None:
            record = DeadRecord(
                reader=self.reader,
                origin=position.topic,
                partition=position.partition,
                offset=position.offset,
                reason=reason,
                original=original,
            )
            await dead_letter(self.log, record, DEAD_LETTER_KEY, self.clock)

        return set_aside

    def admission(self, topic: Topic) -> RecordAdmission:
        memory = partial(self.memory, "ids") if topic is TRANSACTIONS else None
        return RecordAdmission(topic.name, memory, self.dead_letter())


def decisions(bench: Bench) -> Workload:
    context = context_of(bench.servers, bench.host, bench.process)
    agent = ScoringAgent(
        context.log,
        context.ledger,
        bench.memory("deciding"),
        lambda transaction_id: decide_transaction(DecideTransaction(transaction_id), context),
        context.source,
        context.clock,
    )
    # Its file is lost with the process: a cache of the dead letters, which are read again.
    retry = LabelRetry(
        READER,
        ParkedLabels(None),
        open_early_label(DEAD_LETTER_KEY),
        record_early_label(context),
        context.ledger,
        context.clock,
    )
    webhook = AlertWebhook(
        context.log,
        bench.memory("delivery"),
        httpx.AsyncClient(transport=bench.servers.receiver),
        URL,
        context.source,
        context.clock,
    )
    return Workload(
        {
            INBOX_TRANSACTIONS: _inbox(bench, context),
            TRANSACTIONS: agent,
            DEAD_LETTERS: retry,
            ALERTS: webhook,
        },
        beside=[agent.decide_overdue, retry.retry_due, context.ledger.failed],
        first=partial(context.ledger.barrier, within=_CATCH_UP_SECONDS),
    )


def _inbox(bench: Bench, context: Context) -> InboxAgent:
    async def submit(value: bytes) -> None:
        payload, raw = parse_payload(value)
        command = SubmitTransaction(payload=payload, raw=raw, mode="submit")
        await submit_transaction(command, context)

    async def set_aside(
        origin: str, partition: int, offset: int, error: RetraceError, value: bytes
    ) -> None:
        record = DeadRecord(
            reader=INBOX_READER,
            origin=origin,
            partition=partition,
            offset=offset,
            reason=str(error),
            original=value,
            field=error.field if isinstance(error, InvalidInputError) else None,
        )
        await dead_letter(context.log, record, DEAD_LETTER_KEY, context.clock)

    return InboxAgent(bench.memory("inbox"), submit, set_aside)


def features(bench: Bench) -> Workload:
    states = SimulatedStates(bench.servers.redis, bench.process)

    async def send(shard: int, value: bytes) -> Position:
        return await bench.log.append_bytes(ENTITIES, None, value, shard)

    flags = RebuildFlags(states, partial(bench.log.ends, TRANSACTIONS))
    ends = partial(bench.log.ends, ENTITIES)
    writer = EntityWriter(states, bench.dead_letter(), flags, ends, bench.again)
    router = Router(states, bench.admission(TRANSACTIONS), send, bench.again)
    return Workload({ENTITIES: writer, TRANSACTIONS: router}, beside=[router.watch, writer.watch])


def offline(bench: Bench) -> Workload:
    def hold(partition: int, on: bool) -> None:
        bench.membership.hold(TRANSACTIONS.name, partition, on)

    async def past(ends: Sequence[int]) -> Iterator[CountingRecord]:
        return History(bench.log, _NO_ARCHIVE, ends).counting()

    ports = OfflinePorts(
        SimulatedVectors(bench.servers.postgres, bench.process),
        bench.admission(TRANSACTIONS),
        partial(bench.log.ends, TRANSACTIONS),
        past,
    )
    worker = OfflineVectors(ports, KafkaSettings("").settle_seconds, hold, bench.progress.alive)
    return Workload({TRANSACTIONS: worker}, beside=[worker.watch, worker.remake])


def readmodels(bench: Bench) -> Workload:
    def handler(name: str, topic: Topic) -> ProjectionHandler:
        projection = SimulatedProjection(bench.servers.postgres, bench.process, name, topic.name)
        return ProjectionHandler(projection, bench.admission(topic), bench.dead_letter())

    return Workload(
        {TRANSACTIONS: handler("transactions", TRANSACTIONS), ALERTS: handler("alerts", ALERTS)}
    )


WORKLOADS: dict[str, Callable[[Bench], Workload]] = {
    "decisions": decisions,
    "features": features,
    "offline": offline,
    "readmodels": readmodels,
}
SOLE = ("offline",)
"""Of these one member of the group has every partition."""
