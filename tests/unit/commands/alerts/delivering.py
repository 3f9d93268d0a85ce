"""Agents that deliver alerts, in virtual time: minutes pass in no time, and alike for each seed."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from random import Random
from typing import Any

from commands.agents.alert_delivery import AlertDelivery, Delivery
from commands.alerts.message import DIGEST, Message
from commands.alerts.sending import Answer
from domain.alerts import alert_of
from domain.events import Envelope, Route, RoutesPublished
from domain.policy.snapshot import NO_POLICY, PolicySnapshot
from eventlog.admission.sqlite_memory import SqliteMemory
from eventlog.batch import Batch
from eventlog.codec import decode
from eventlog.in_memory import InMemoryEventLog
from eventlog.topics import ALERTS
from faults.loop.clock import wall_clock
from faults.loop.process import Process, within
from faults.loop.seeded_loop import SeededLoop
from tests.fakes.events import scored

ROUTE = Route(name="pager", to="pagerduty", secret="IT")


class Desk:
    """A receiver that tells repeats apart by key; `answers` are given first, then it takes all.

    `taken` is by key what it took first, with the time; `tries` are all, in order.
    """

    def __init__(self, loop: SeededLoop) -> None:
        self._loop = loop
        self.answers: list[Answer | Callable[[], Answer]] = []
        self.taken: dict[str, tuple[float, Message]] = {}
        self.tries: list[tuple[float, str]] = []
        self.trouble: Callable[[], Answer | None] = lambda: None

    async def send(self, route: Route, message: Message) -> Answer:
        await asyncio.sleep(0.01)
        self.tries.append((self._loop.time(), message.key))
        trouble = self.answers.pop(0) if self.answers else self.trouble()
        if isinstance(trouble, Answer) and trouble.outcome != "lost":
            return trouble
        self.taken.setdefault(message.key, (self._loop.time(), message))
        await asyncio.sleep(0.01)
        return trouble if isinstance(trouble, Answer) else Answer(True, "taken")

    def alerts(self) -> int:
        """How many the messages are about together."""
        return sum(
            message.body["alerts"] if message.body["type"] == DIGEST else 1
            for _, message in self.taken.values()
        )


class World:
    def __init__(self, loop: SeededLoop, route: Route = ROUTE) -> None:
        self.loop, self.log, self.desk = loop, InMemoryEventLog(), Desk(loop)
        self.clock = wall_clock(loop)
        self.policy: PolicySnapshot = replace(NO_POLICY, routes=(route,))
        self.number = 0
        self._processes: dict[str, Process] = {}
        self.wanted: dict[str, set[int]] = {}
        self.memory = SqliteMemory(None)

    def publish(self, *routes: Route) -> None:
        fact = RoutesPublished(routes=list(routes), routes_hash="h", reason="r")
        self.policy = self.policy.apply(fact, self.policy.version + 1)

    async def raise_alert(self, **fields: Any) -> Envelope:
        self.number += 1
        alert = alert_of(scored(f"t-{self.number}", outcome="decline"), "tests", self.clock())
        assert alert is not None
        alert = replace(alert, data=replace(alert.data, **fields))
        await self.log.append(ALERTS, alert.subject, alert)
        return alert

    def start(self, name: str = "one", partitions: set[int] | None = None) -> None:
        """An agent that knows nothing but the log, in the place of the one before of that name."""
        if name in self._processes:
            self.loop.kill(self._processes[name])
        self._processes[name] = Process(f"{name}-{self.loop.time()}", name)
        self.memory = SqliteMemory(None)
        self.wanted[name] = {0, 1, 2, 3} if partitions is None else partitions
        within(self._processes[name], self.loop.create_task, self._work(name, self.memory))

    async def _work(self, name: str, memory: SqliteMemory) -> None:
        delivery = Delivery(self.desk, lambda: self.policy)  # type: ignore[arg-type]
        agent = AlertDelivery(self.log, memory, delivery, "tests", self.clock)
        partitions: set[int] | None = None
        following: dict[int, int] = {}
        while True:
            if self.wanted[name] != partitions:
                await agent.revoke((partitions or set()) - self.wanted[name])
                partitions = self.wanted[name]
                following = dict(await agent.assign(partitions))
            found: dict[int, list[tuple[int, None, bytes]]] = {}
            ends = {p: end for p, end in enumerate(await self.log.ends(ALERTS)) if p in partitions}
            for each in self.log.read(ALERTS, following, ends):
                if each.position.partition in partitions:
                    record = each.position.offset, None, each.value
                    found.setdefault(each.position.partition, []).append(record)
            for partition, records in found.items():
                batch = Batch(ALERTS.name, partition, list(records), ends[partition])
                await agent.handle([batch])
                following[partition] = batch.next
            await asyncio.sleep(0.05)

    def facts(self, kind: type) -> list[Any]:
        found = (decode(each.value) for each in self.log.read(ALERTS))
        return [each.data for each in found if isinstance(each.data, kind)]


def run(main: Callable[[World], Awaitable[None]], seed: int = 1, route: Route = ROUTE) -> None:
    loop = SeededLoop(Random(seed))
    try:
        loop.run_until_complete(main(World(loop, route)))
    finally:
        loop.bury()
