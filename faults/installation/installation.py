"""Lives of processes: started, killed, paused, and started again by a supervisor."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from commands import Context
from domain.errors import NotOwnedError, UnavailableError, explain
from eventlog.binding.bound import BoundStore, bind, keep_bound
from eventlog.ownership.ownership import Ownership
from eventlog.topics import TRANSACTIONS
from faults.installation.deciding import context_of
from faults.installation.hosts import Host, Servers
from faults.installation.workloads import SOLE, WHOLE, WORKLOADS, Bench, lags
from faults.loop.process import Process, within
from faults.loop.threads import LoopThreads
from faults.servers.bound import bound_stores
from faults.servers.kafka_client import SimulatedLog
from faults.servers.kafka_group import SimulatedMembership
from faults.servers.kafka_members import GROUP, SimulatedMembers
from faults.servers.redis import SimulatedStates
from projections.broadcast.membership import BroadcastMembership
from projections.faust.progress import Progress
from projections.faust.watchdog import Watchdog
from projections.faust.worker import Worker

T = TypeVar("T")
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
STALL_SECONDS = 30.0
_SYNC_SECONDS = 5.0
_HOP, _FORWARD_SECONDS = 0.003, 10.0


@dataclass(frozen=True, slots=True)
class Api:
    """What an API process answers from."""

    context: Context
    ownership: Ownership


class Installation:
    """`layout` names the processes and the host of each: `api-1`, `features-2`, ...

    What stands before the last dash is the kind.
    """

    def __init__(self, servers: Servers, hosts: Sequence[Host], layout: dict[str, str]) -> None:
        self.servers, self._loop = servers, servers.loop
        self.hosts = {host.name: host for host in hosts}
        self._layout = layout
        self.processes: dict[str, Process] = {}
        self.apis: dict[str, Api] = {}
        self.workers: dict[str, Worker] = {}
        self.ends: list[str] = []
        self.findings: list[str] = []
        # Told when the log is another one, as of now.
        self.on_new_log: list[Callable[[], None]] = []
        self._ended: Counter[str] = Counter()
        self._wanted: set[str] = set()

    def start(self, waiting: Collection[str] = ()) -> None:
        """Starts all processes but those that are `waiting` to be begun."""
        for name in self._layout:
            if name not in waiting:
                self.begin(name)
        self._sync()

    def begin(self, name: str) -> None:
        """Starts a process, unless it runs."""
        self._wanted.add(name)
        running = self.processes.get(name)
        if running is not None and running.alive:
            return
        host = self.hosts[self._layout[name]]
        process = self.processes[name] = Process(name, host.name)
        within(process, self._loop.create_task, self._live(process, host))

    def kill(self, name: str, down: float | None = FIRST_PAUSE) -> None:
        """SIGKILL; the supervisor starts it again `down` seconds later (None: it does not)."""
        process = self.processes[name]
        self._loop.kill(process)
        self._forget(name)
        if down is None:
            self._wanted.discard(name)
        else:
            within(None, self._loop.call_later, down, self.begin, name)

    def _forget(self, name: str) -> None:
        self.apis.pop(name, None)
        self.workers.pop(name, None)

    def busy(self) -> list[str]:
        """Processes that do not run, workers that lag or have yet to be told what is theirs, groups
        that have not read everything."""
        down = [
            f"{name} is not up"
            for name in sorted(self._wanted)
            if not self.processes[name].alive or self.processes[name].paused
        ]
        lagging = [
            f"{name} lags"
            for name in sorted(self._wanted)
            if not name.startswith("api") and lags(self.workers.get(name), self.servers.cluster)
        ]
        untold = [
            f"{name} has no assignment"
            for name, worker in sorted(self.workers.items())
            if worker.unassigned or not worker.asked
        ]
        groups = [
            f"group {name} has not read {left}"
            for name, group in sorted(self.servers.groups.items())
            if (left := group.unread())
        ]
        return down + lagging + untold + groups

    def end(self) -> None:
        """Everything is dead from here on."""
        for process in self.processes.values():
            self._loop.kill(process)

    def begin_anew(self) -> None:
        """As an operator does whose log is lost: all that was made from it is removed."""
        running = sorted(self._wanted)
        for name in running:
            self.kill(name, down=None)
        self.servers.empty()
        for host in self.hosts.values():
            host.disk.empty()
        for tell in self.on_new_log:
            tell()
        for name in running:
            self.begin(name)

    def revive(self) -> None:
        """Starts again what was killed by its own effects; call it now and then."""
        for name in sorted(self._wanted):
            if not self.processes[name].alive:
                self._forget(name)
                self.begin(name)

    def pause(self, name: str, seconds: float) -> None:
        """SIGSTOP, and SIGCONT after so long."""
        process = self.processes[name]
        self._loop.pause(process)
        within(None, self._loop.call_later, seconds, self._loop.resume, process)

    def lose_power(self, host: str, down: float) -> None:
        """All of a host dies at once, and its disk keeps what was synced, and parts of the rest."""
        for name, process in self.processes.items():
            if process.host == host and process.alive:
                self.kill(name, down)
        self.hosts[host].disk.lose_power(self._loop.chance)

    def running(self) -> list[str]:
        """Names of the processes that are alive."""
        return sorted(name for name, process in self.processes.items() if process.alive)

    def serving(self) -> list[str]:
        """API processes that take requests."""
        return sorted(name for name in self.apis if self.processes[name].alive)

    def request(
        self, name: str, about: str, ask: Callable[[Context], Awaitable[T]], forwarded: bool = False
    ) -> "asyncio.Future[T]":
        """What the process answers, or the owner of the transaction it is about; never done where
        one dies first. Raises ConnectionError."""
        api = self.apis.get(name)
        process = self.processes[name]
        if api is None or not process.alive:
            raise ConnectionError(f"{name} does not listen")
        answer = api.ownership.at_owner(
            about,
            lambda: ask(api.context),
            lambda other: self._forward(other, about, ask),
            forwarded,
        )
        reply: asyncio.Future[T] = self._loop.create_future()
        within(process, self._loop.create_task, _serve(answer, reply))
        return reply

    async def _forward(self, name: str, about: str, ask: Callable[[Context], Awaitable[T]]) -> T:
        """Over the network to another process, and back, as api.serving.forwarding does."""
        trouble = self.servers.trouble
        trouble.met["forwarded"] += 1
        try:
            await asyncio.sleep(trouble.delay(_HOP))
            async with asyncio.timeout(_FORWARD_SECONDS):
                found = await self.request(name, about, ask, forwarded=True)
            await asyncio.sleep(trouble.delay(_HOP))
        except ConnectionError as error:
            raise NotOwnedError(about) from error
        except TimeoutError as error:
            raise UnavailableError("api", f"{name} is late") from error
        if trouble.answer_is_lost():
            # It is sent again, to the same one or to another.
            raise NotOwnedError(about)
        return found

    async def _live(self, process: Process, host: Host) -> None:
        kind = process.name.rpartition("-")[0]
        try:
            if kind == "api":
                await self._serve_requests(process, host)
            else:
                await self._work(kind, process, host)
        except Exception as error:
            if process.alive:
                self.ends.append(f"{process.name}: {explain(error)}")
        if process.alive:
            # What ends again and again is started less and less often.
            self._ended[process.name] += 1
            pause = FIRST_PAUSE * 2 ** (self._ended[process.name] - 1)
            self.kill(process.name, min(LONGEST_PAUSE, pause))

    async def _serve_requests(self, process: Process, host: Host) -> None:
        log = SimulatedLog(self.servers.cluster, process)
        needed, watched = self._bound("api", process, host)
        await bind(log, *needed)
        watch = self._loop.create_task(keep_bound(log, [*needed, *watched]))
        context = context_of(self.servers, host, process)
        failing = self._loop.create_task(context.ledger.failed())
        members = SimulatedMembers(self.servers.group(GROUP), process, TRANSACTIONS.name)
        ownership = Ownership(log, context.ledger, members, process.name)
        ownership.start()
        await ownership.settled()
        self.apis[process.name] = Api(context, ownership)
        vouching = self._loop.create_task(context.features.keep_vouching())
        ended, _ = await asyncio.wait(
            {watch, failing, vouching}, return_when=asyncio.FIRST_COMPLETED
        )
        for each in ended:
            each.result()

    async def _work(self, kind: str, process: Process, host: Host) -> None:
        group = self.servers.group(kind, kind in SOLE)
        log = SimulatedLog(self.servers.cluster, process)
        shared = SimulatedMembership(group, process, process.name)
        membership = BroadcastMembership(shared, log, WHOLE.get(kind, ()))
        progress = Progress()
        needed, watched = self._bound(kind, process, host)
        # Before any file is opened; the servers may be away.
        await bind(log, needed[0])
        bench = Bench(
            *(self.servers, host, process, kind, log, membership, progress),
            again=lambda: worker.again(),
            take=lambda *own: worker.take(*own),
        )
        workload = WORKLOADS[kind](bench)

        def end(_status: int) -> None:
            self.servers.trouble.met["stalled"] += 1
            self.kill(process.name)

        worker = Worker(process.name, membership, workload.handlers, progress)
        self.workers[process.name] = worker
        watchdog = Watchdog(worker, STALL_SECONDS, end, LoopThreads(self._loop))
        bound = worker.background(partial(keep_bound, log, [*needed, *watched]))
        for each in (watchdog.run, bound, *map(worker.background, workload.beside)):
            self._loop.create_task(_awaited(each))

        async def first() -> None:
            await bind(log, *needed)
            if workload.first is not None:
                await workload.first()

        await worker.run(first)

    def _bound(
        self, kind: str, process: Process, host: Host
    ) -> tuple[list[BoundStore], list[BoundStore]]:
        servers = self.servers
        states = SimulatedStates(servers.redis, process)
        return bound_stores(kind, host.disk, states, servers.postgres, process)

    def _sync(self) -> None:
        """The system writes back what its processes wrote, now and then."""
        for host in self.hosts.values():
            host.disk.sync()
        within(None, self._loop.call_later, _SYNC_SECONDS, self._sync)


async def _awaited(make: Callable[[], Awaitable[None]]) -> None:
    await make()


async def _serve(answer: Awaitable[T], reply: "asyncio.Future[T]") -> None:
    try:
        result = await answer
    except Exception as error:
        if not reply.done():
            reply.set_exception(error)
    else:
        if not reply.done():
            reply.set_result(result)
