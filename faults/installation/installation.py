"""Lives of processes: started, killed, paused, and started again by a supervisor."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import TypeVar

from commands import Context
from faults.installation.deciding import context_of
from faults.installation.hosts import Host, Servers
from faults.installation.workloads import SOLE, WORKLOADS, Bench
from faults.loop.process import Process, within
from faults.loop.threads import LoopThreads
from faults.servers.kafka_client import SimulatedLog
from faults.servers.kafka_group import SimulatedMembership
from projections.faust.progress import Progress
from projections.faust.watchdog import Watchdog
from projections.faust.worker import Worker, explain

T = TypeVar("T")
_CATCH_UP_SECONDS = 3600.0
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
STALL_SECONDS = 30.0
_SYNC_SECONDS = 5.0


class Installation:
    """`layout` names the processes and the host of each: `api-1`, `features-2`, ...

    What stands before the last dash is the kind.
    """

    def __init__(self, servers: Servers, hosts: Sequence[Host], layout: dict[str, str]) -> None:
        self.servers, self._loop = servers, servers.loop
        self.hosts = {host.name: host for host in hosts}
        self._layout = layout
        self.processes: dict[str, Process] = {}
        self.contexts: dict[str, Context] = {}
        self.workers: dict[str, Worker] = {}
        self.ends: list[str] = []
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
        self.contexts.pop(name, None)
        self.workers.pop(name, None)

    def busy(self) -> list[str]:
        """Processes that do not run, workers that lag, groups that have not read everything."""
        down = [
            f"{name} is not up"
            for name in sorted(self._wanted)
            if not self.processes[name].alive or self.processes[name].paused
        ]
        lagging = [
            f"{name} lags"
            for name in sorted(self._wanted)
            if not name.startswith("api") and (name not in self.workers or self.workers[name].lag)
        ]
        groups = [
            f"group {name} has not read {left}"
            for name, group in sorted(self.servers.groups.items())
            if (left := group.unread())
        ]
        return down + lagging + groups

    def end(self) -> None:
        """Everything is dead from here on."""
        for process in self.processes.values():
            self._loop.kill(process)

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
        return sorted(name for name in self.contexts if self.processes[name].alive)

    def request(self, name: str, ask: Callable[[Context], Awaitable[T]]) -> "asyncio.Future[T]":
        """What the process answers; never done where it dies first. Raises ConnectionError."""
        context = self.contexts.get(name)
        process = self.processes[name]
        if context is None or not process.alive:
            raise ConnectionError(f"{name} does not listen")
        reply: asyncio.Future[T] = self._loop.create_future()
        within(process, self._loop.create_task, _serve(ask(context), reply))
        return reply

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
        context = context_of(self.servers, host, process)
        await context.ledger.barrier(within=_CATCH_UP_SECONDS)
        self.contexts[process.name] = context
        await context.ledger.failed()

    async def _work(self, kind: str, process: Process, host: Host) -> None:
        group = self.servers.group(kind, kind in SOLE)
        membership = SimulatedMembership(group, process, process.name)
        log = SimulatedLog(self.servers.cluster, process)
        progress = Progress()
        bench = Bench(
            *(self.servers, host, process, kind, log, membership, progress),
            again=lambda: worker.again(),
        )
        workload = WORKLOADS[kind](bench)

        def end(_status: int) -> None:
            self.servers.trouble.met["stalled"] += 1
            self.kill(process.name)

        worker = Worker(process.name, membership, workload.handlers, progress)
        self.workers[process.name] = worker
        watchdog = Watchdog(worker, STALL_SECONDS, end, LoopThreads(self._loop))
        for each in (watchdog.run, *map(worker.background, workload.beside)):
            self._loop.create_task(_awaited(each))
        await worker.run(workload.first)

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
