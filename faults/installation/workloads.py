"""Workloads of the workers, put together as runtime.processes does it, over simulated servers."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import httpx

from commands.agents.alert_delivery import Delivery
from commands.agents.deciding import deciding_agents
from commands.agents.parked_labels import ParkedLabels
from commands.alerts.routing import own_route
from commands.alerts.sending import Sender
from domain.policy.snapshot import NO_POLICY
from eventlog.archive.folder import ArchiveFolder
from eventlog.archive.history import CountingRecord, History
from eventlog.batch import Record
from eventlog.port import Position
from eventlog.topics import (
    ALERTS,
    DEAD_LETTERS,
    ENTITIES,
    INBOX_TRANSACTIONS,
    TRANSACTIONS,
    Topic,
    by_name,
)
from faults.installation.deciding import DEAD_LETTER_KEY, context_of
from faults.installation.hosts import Host, Servers, memory_of
from faults.installation.receiver import URL
from faults.loop.clock import wall_clock
from faults.loop.process import Process
from faults.servers.disk import FileMemory
from faults.servers.kafka import Cluster
from faults.servers.kafka_client import SETTLE_SECONDS, SimulatedLog
from faults.servers.postgres import SimulatedProjection, SimulatedVectors
from faults.servers.redis import SimulatedStates
from faults.servers.states_file import DiskStates
from projections.faust.admission import DeadLetter, RecordAdmission, setting_aside
from projections.faust.membership import Membership
from projections.faust.progress import Progress
from projections.faust.projection_handler import ProjectionHandler
from projections.faust.worker import Worker
from projections.offline.worker import OfflinePorts, OfflineVectors
from projections.online.workload import online_workload
from projections.ports import Workload

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
    membership: Membership
    progress: Progress
    again: Callable[[], None]
    take: Callable[[Topic, int, Record], None]

    def memory(self, name: str) -> FileMemory:
        return memory_of(self.servers, self.host, self.process, name)

    @property
    def clock(self) -> Callable[[], int]:
        return wall_clock(self.servers.loop, self.host.skew)

    def dead_letter(self) -> DeadLetter:
        return setting_aside(self.log, self.reader, DEAD_LETTER_KEY, self.clock)

    def admission(self, topic: Topic) -> RecordAdmission:
        memory = partial(self.memory, "ids") if topic is TRANSACTIONS else None
        return RecordAdmission(topic.name, memory, self.dead_letter())


def decisions(bench: Bench) -> Workload:
    context = context_of(bench.servers, bench.host, bench.process)
    client = httpx.AsyncClient(transport=bench.servers.receiver)
    delivery = Delivery(Sender(client, {}, bench.clock), lambda: NO_POLICY, [own_route(URL, "")])
    # Parked labels are lost with the process: a cache of the dead letters, which are read again.
    parked = ParkedLabels(None)
    agents = deciding_agents(
        *(context, bench.memory, parked, DEAD_LETTER_KEY, delivery, bench.progress.alive)
    )
    return Workload(agents.handlers, agents.beside)


def features(bench: Bench) -> Workload:
    states = SimulatedStates(bench.servers.redis, bench.process)
    admission, dead_letter = bench.admission(TRANSACTIONS), bench.dead_letter()

    def send(shard: int, value: bytes) -> Awaitable[Position]:
        return bench.log.append_bytes(ENTITIES, None, value, shard)

    return online_workload(bench.log, send, states, admission, dead_letter, bench.again, bench.take)


def offline(bench: Bench) -> Workload:
    def hold(partition: int, on: bool) -> None:
        bench.membership.hold(TRANSACTIONS.name, partition, on)

    async def past(ends: Sequence[int]) -> Iterator[CountingRecord]:
        return History(bench.log, _NO_ARCHIVE, ends).counting()

    file = bench.host.disk.states_of(bench.process.name)
    ports = OfflinePorts(
        SimulatedVectors(bench.servers.postgres, bench.process),
        bench.admission(TRANSACTIONS),
        partial(bench.log.ends, TRANSACTIONS),
        past,
        DiskStates(file, bench.process, bench.servers.trouble),
    )
    worker = OfflineVectors(ports, SETTLE_SECONDS, hold, bench.progress.alive, keep_seconds=1.0)
    return Workload({TRANSACTIONS: worker}, beside=[worker.watch, worker.remake])


def readmodels(bench: Bench) -> Workload:
    def handler(name: str, topic: Topic) -> ProjectionHandler:
        projection = SimulatedProjection(bench.servers.postgres, bench.process, name, topic.name)
        return ProjectionHandler(projection, bench.admission(topic), bench.dead_letter())

    return Workload(
        {TRANSACTIONS: handler("transactions", TRANSACTIONS), ALERTS: handler("alerts", ALERTS)}
    )


def lags(worker: Worker | None, cluster: Cluster) -> bool:
    """By the log itself: what a worker reads whole is no affair of its group."""
    return worker is None or any(
        cluster.partitions(by_name(topic))[partition].end > at
        for (topic, partition), at in worker.positions.items()
    )


WORKLOADS: dict[str, Callable[[Bench], Workload]] = {
    "decisions": decisions,
    "features": features,
    "offline": offline,
    "readmodels": readmodels,
}
SOLE = ("offline",)
"""Of these one member of the group has every partition."""
WHOLE = {"decisions": (INBOX_TRANSACTIONS, DEAD_LETTERS)}
"""Of these every member reads these topics whole."""
