"""Lane: what waits for one route, and the task that sends it when the schedule allows.

Alerts wait for a moment and go out each alone; more than the route sends in a minute are gathered,
and go out as one digest. What goes out together stays together, whatever comes after it.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from math import inf
from typing import Protocol

from commands.alerts.parcels import Parcel, Waiting
from commands.alerts.schedule import Schedule
from commands.alerts.sending import Answer
from domain.events import Route

logger = logging.getLogger(__name__)

_AT_ONCE = 8
# Without a limit so many are made ready at a time.
_READY = 64


class Outbox(Protocol):
    """What a lane needs of whoever owns it."""

    async def send(self, route: Route, parcel: Parcel) -> Answer: ...

    async def delivered(self, route: Route, parcel: Parcel) -> None:
        """Returns once the log says so."""
        ...

    async def failed(
        self, route: Route, parcel: Parcel, outcome: str, schedule: Schedule, pause: float | None
    ) -> None:
        """It is tried again after `pause` seconds, or (None) given up. Never raises."""
        ...

    def is_old(self, waiting: Waiting) -> bool: ...


@dataclass(slots=True)
class Lane:
    """`route` gives its present definition, None where it is no longer in force.

    `hold` is true while it is not known yet what of the log was delivered: nothing begins then.
    """

    name: str
    route: Callable[[str], Route | None]
    outbox: Outbox
    hold: Callable[[], bool]
    schedule: Schedule
    waiting: list[Waiting] = field(default_factory=list)
    parcels: list[Parcel] = field(default_factory=list)
    places: set[tuple[int, int]] = field(default_factory=set)
    _looked: float = -inf
    _woken: asyncio.Event = field(default_factory=asyncio.Event)
    _task: asyncio.Task[None] | None = None

    def open(self) -> Iterable[Waiting]:
        """Whatever is not settled."""
        yield from self.waiting
        for parcel in self.parcels:
            yield from parcel.members

    def add(self, waiting: Waiting) -> None:
        """Unless it is there already. Where others wait, a time is set to look at them."""
        if waiting.place in self.places:
            return
        self.places.add(waiting.place)
        first = not self.waiting
        self.waiting.append(waiting)
        if waiting.again and not self.hold():
            self._alone([waiting])
        if first or waiting.again:
            self.wake()

    def wake(self) -> None:
        """Begins, or looks again at, what is to be sent."""
        self._woken.set()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    def drop(self, gone: Callable[[Waiting], bool]) -> None:
        """Takes out what is settled; a message that is left without members is not sent."""
        self.waiting = [each for each in self.waiting if not gone(each)]
        for parcel in self.parcels:
            parcel.members = [each for each in parcel.members if not gone(each)]
            if not parcel.members and parcel.task is not None:
                parcel.task.cancel()
        self.parcels = [parcel for parcel in self.parcels if parcel.members]
        self.places = {each.place for each in self.open()}
        self._woken.set()

    def was_tried(self, key: str, attempts: int, due: float, failures: int) -> None:
        """As the log says of a message and of the route."""
        self.schedule.failures = failures
        if self.schedule.tripped:
            self.schedule.closed_until = due
        for each in self.waiting:
            if key == each.key:
                each.digest, each.together = "", frozenset()
            if key in (each.key, each.digest):
                each.attempts, each.due = attempts, due

    def leave(self, partitions: set[int]) -> None:
        """Forgets what others own from now on. A digest that is parted is none any more: sent with
        fewer, it could be dropped as a repeat of the one with all."""
        for parcel in self.parcels:
            if parcel.digest and parcel.members[0].together & partitions and not parcel.done:
                if parcel.task is not None:
                    parcel.task.cancel()
                self.waiting += parcel.members
                parcel.members = []
        for each in self.waiting:
            if each.together & partitions:
                each.digest, each.together = "", frozenset()
        self.drop(lambda each: each.partition in partitions)

    def resume(self, partitions: set[int]) -> None:
        """Puts together again what the log says of those that wait: digests that are ours as a
        whole, and messages that were tried alone."""
        digests: dict[str, list[Waiting]] = {}
        for each in self.waiting:
            if each.digest and each.together <= partitions:
                digests.setdefault(each.digest, []).append(each)
        for key, members in digests.items():
            members.sort(key=lambda each: each.order)
            attempts, due = max((each.attempts, each.due) for each in members)
            self.parcels.append(Parcel(key, members, True, True, attempts, due))
        gathered = {id(each) for members in digests.values() for each in members}
        self.waiting = [each for each in self.waiting if id(each) not in gathered]
        self._alone([each for each in self.waiting if each.again or each.attempts])
        self.wake()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while self.waiting or any(not parcel.done for parcel in self.parcels):
            self._woken.clear()
            now, look = loop.time(), inf
            route = self.route(self.name)
            if route is None:
                logger.warning("route %s is withdrawn: its alerts are dropped", self.name)
                self.drop(lambda _: True)
                return
            if not self.hold():
                if now - self._looked > 1.0:
                    self._looked = now
                    await self._give_up(route)
                look = min(self._form(route, now), self._begin(route, now))
            try:
                async with asyncio.timeout(None if look == inf else max(0.0, look - now)):
                    await self._woken.wait()
            except TimeoutError:
                pass

    def _form(self, route: Route, now: float) -> float:
        """Makes messages of what waits; returns when to look again."""
        if not route.at_most:
            ready = sum(not parcel.attempts for parcel in self.parcels)
            self._alone(self.waiting[: max(0, _READY - ready)])
            return inf
        if not self.waiting:
            return inf
        if self.schedule.tripped and self.parcels:
            return inf
        first = min(each.arrived for each in self.waiting)
        step = self.schedule.next_step(len(self.waiting), first, route.at_most, now)
        if step.what == "wait":
            return step.look
        fresh = sorted(self.waiting, key=lambda each: each.order)
        if step.what == "alone":
            self._alone(fresh)
        else:
            self._gather(fresh)
        return inf

    def _gather(self, found: list[Waiting]) -> None:
        key, together = f"{found[0].key}/digest", frozenset(each.partition for each in found)
        for each in found:
            each.digest, each.together = key, together
        self.parcels.append(Parcel(key, found, digest=True))
        self.waiting = []

    def _alone(self, found: list[Waiting]) -> None:
        for each in found:
            self.parcels.append(Parcel(each.key, [each], attempts=each.attempts, due=each.due))
        if found:
            taken = {id(each) for each in found}
            self.waiting = [each for each in self.waiting if id(each) not in taken]

    def _begin(self, route: Route, now: float) -> float:
        running = sum(parcel.task is not None for parcel in self.parcels if not parcel.done)
        at_once = 1 if self.schedule.tripped else _AT_ONCE
        look = inf
        for parcel in sorted(self.parcels, key=lambda each: each.due):
            if running >= at_once:
                return inf
            if parcel.done or parcel.task is not None:
                continue
            due = max(parcel.due, self.schedule.closed_until)
            if due > now:
                look = min(look, due)
                continue
            self.schedule.begun(parcel.key, now)
            parcel.attempts += 1
            parcel.task = asyncio.create_task(self._deliver(route, parcel))
            running += 1
        return look

    async def _deliver(self, route: Route, parcel: Parcel) -> None:
        answer = await self._answer(route, parcel)
        now = asyncio.get_running_loop().time()
        if answer.taken:
            if self.schedule.tripped:
                for each in self.parcels:
                    each.due = now
            self.schedule.taken()
            parcel.done = True
            # At once: this task ends as soon as the log is read back.
            self.wake()
            await self.outbox.delivered(route, parcel)
        else:
            parcel.due = self.schedule.failed(now, parcel.key, parcel.attempts, answer)
            await self.outbox.failed(route, parcel, answer.outcome, self.schedule, parcel.due - now)
            parcel.task = None
            self.wake()

    async def _answer(self, route: Route, parcel: Parcel) -> Answer:
        try:
            return await self.outbox.send(route, parcel)
        except Exception as error:
            # One message that cannot be made keeps no other from being sent.
            logger.error("route %s: %s cannot be sent", self.name, parcel.key, exc_info=True)
            return Answer(False, f"cannot be sent: {type(error).__name__}", refused=True)

    async def _give_up(self, route: Route) -> None:
        """What has waited for a day is of no use to anybody."""
        old = [each for each in self.waiting if self.outbox.is_old(each)]
        parcels = [p for p in self.parcels if p.task is None and self.outbox.is_old(p.members[0])]
        for parcel in [*parcels, *(Parcel(each.key, [each]) for each in old)]:
            logger.warning("alert %s is given up: not delivered within a day", parcel.key)
            await self.outbox.failed(route, parcel, "", self.schedule, None)
            self._forget(parcel)

    def _forget(self, parcel: Parcel) -> None:
        gone = {each.place for each in parcel.members}
        self.drop(lambda each: each.place in gone)
