"""Alert delivery: sends each alert by the routes that take it, at least once, in any order."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_exponential

from commands.agents.delivery_facts import delivered_fact, failed_fact, gathered_facts
from commands.alerts.lane import Lane
from commands.alerts.message import of_alert, of_digest
from commands.alerts.parcels import Parcel, Waiting
from commands.alerts.routing import severity_of, takes
from commands.alerts.schedule import Schedule
from commands.alerts.sending import Answer, Sender
from domain.errors import NotFoundError, RetraceError, UnavailableError, UndecodableError
from domain.events import (
    AlertDelivered,
    AlertDeliveryFailed,
    AlertRaised,
    AlertResendAsked,
    AlertsGathered,
    CaseOverdue,
    Envelope,
    ModelAlertDelivered,
    ModelAlertRaised,
    Route,
)
from domain.policy.rules.numbers import from_text
from domain.policy.snapshot import PolicySnapshot
from domain.times import DAY, SECOND
from eventlog.admission.first_wins import KeptMemory, Known, admits_origin
from eventlog.batch import Batch
from eventlog.codec import decode
from eventlog.port import EventLog, Position
from eventlog.topics import ALERTS

logger = logging.getLogger(__name__)

WITHIN_US = DAY
_LONGEST_PAUSE = 60.0
_APPENDED_AT_ONCE = 500
_Raised = AlertRaised | ModelAlertRaised | CaseOverdue
_Delivered = AlertDelivered | ModelAlertDelivered


@dataclass(slots=True)
class _Settled:
    """What a batch says was delivered or given up by one route."""

    keys: set[str] = field(default_factory=set)
    alerts: set[str] = field(default_factory=set)
    given_up: set[str] = field(default_factory=set)

    def has(self, waiting: Waiting) -> bool:
        own = not waiting.again and waiting.raised.data.alert_id in self.alerts
        return own or waiting.key in self.keys or waiting.digest in self.given_up


@dataclass(frozen=True, slots=True)
class Delivery:
    """What sends, and by which routes: `own` ones beside those of the policy."""

    sender: Sender
    policy: Callable[[], PolicySnapshot]
    own: Sequence[Route] = ()

    def routes(self) -> list[Route]:
        return [*self.own, *self.policy().routes]

    def route(self, name: str) -> Route | None:
        return next((each for each in self.routes() if each.name == name), None)


class AlertDelivery:
    """Sends each alert until its receivers have confirmed it, then appends AlertDelivered
    (ModelAlertDelivered for an alert about a model), one for each route.

    All that it knows comes from the log: attempts, failures in a row, members of digests. An alert
    that is older than a day is given up. Receivers drop repeats by the key of a message. The
    position stays below the oldest alert that is not settled. Of a partition that is taken over
    none is sent before all that was in ours by then is read: deliveries by the owner before lie
    behind their alerts.
    """

    def __init__(
        self,
        log: EventLog,
        positions: KeptMemory,
        delivery: Delivery,
        source: str,
        clock: Callable[[], int],
        first_pause: float = 1.0,
    ) -> None:
        self._log, self._positions, self._delivery = log, positions, delivery
        self._source, self._clock, self._first_pause = source, clock, first_pause
        self._lanes: dict[str, Lane] = {}
        self._next: dict[int, int] = {}
        self._there: dict[int, int] = {}
        self._behind: set[int] = set()

    async def assign(self, partitions: set[int]) -> Mapping[int, int]:
        ends = await self._log.ends(ALERTS)
        self._there = {partition: ends[partition] for partition in partitions}
        self._next = self._positions.starts(partitions)
        self._behind.clear()
        self._behind |= {each for each in partitions if self._next[each] < self._there[each]}
        self._start()
        return dict(self._next)

    async def revoke(self, partitions: set[int]) -> None:
        for lane in self._lanes.values():
            lane.leave(partitions)

    async def handle(self, batches: Sequence[Batch]) -> None:
        for batch in batches:
            await self._take(batch)

    async def _take(self, batch: Batch) -> None:
        settled: dict[str, _Settled] = {}
        for offset, _, value in batch.records:
            try:
                envelope = decode(value or b"")
            except RetraceError:
                continue
            await self._read(envelope, batch.partition, offset, settled)
        for name, found in settled.items():
            if name in self._lanes:
                self._lanes[name].drop(found.has)
        self._next[batch.partition] = batch.next
        if batch.next >= self._there[batch.partition]:
            self._caught_up(batch.partition)
        self._commit(batch.partition)

    async def _read(
        self, envelope: Envelope, partition: int, offset: int, settled: dict[str, _Settled]
    ) -> None:
        data = envelope.data
        past = offset < self._there[partition]
        if isinstance(data, _Raised):
            if self._is_first(envelope, partition, offset):
                self._expect(envelope, envelope, partition, offset)
        elif isinstance(data, _Delivered):
            found = settled.setdefault(data.route, _Settled())
            found.keys.add(data.key)
            found.alerts.add(data.alert_id)
            if past:
                self._was_taken(envelope)
        elif isinstance(data, AlertDeliveryFailed):
            if data.given_up:
                found = settled.setdefault(data.route, _Settled())
                found.keys.add(data.key)
                found.given_up.add(data.key)
            elif past:
                self._was_tried(data)
        elif isinstance(data, AlertsGathered) and past:
            self._was_gathered(data, partition)
        elif isinstance(data, AlertResendAsked):
            await self._again(envelope, partition, offset)

    def _expect(
        self, raised: Envelope, cause: Envelope, partition: int, offset: int, only: str = ""
    ) -> None:
        # Who asks for a suppressed one to be sent all the same has it sent.
        if self._age(cause) > WITHIN_US or (_is_suppressed(raised) and cause is raised):
            return
        policy = self._delivery.policy()
        severity = severity_of(raised, policy.rules.rules if policy.rules else ())
        for route in self._delivery.routes():
            if route.name != only and (only or not takes(route, raised, severity)):
                continue
            arrived = self._since(cause)
            waiting = Waiting(raised, cause, severity, partition, offset, arrived)
            self._lane(route.name).add(waiting)

    async def _again(self, asked: Envelope, partition: int, offset: int) -> None:
        if self._age(asked) > WITHIN_US:
            return
        place = Position(ALERTS.name, partition, asked.data.offset)
        try:
            raised = decode((await asyncio.to_thread(self._log.read_one, place)).value)
        except (NotFoundError, UndecodableError) as error:
            logger.warning("alert %s is not sent again: %s", asked.data.alert_id, error)
            return
        if isinstance(raised.data, _Raised):
            self._expect(raised, asked, partition, offset, asked.data.route)

    def _was_taken(self, delivered: Envelope) -> None:
        data, schedule = delivered.data, self._lane(delivered.data.route).schedule
        schedule.taken()
        schedule.begun(data.key or data.alert_id, self._since(delivered))

    def _was_tried(self, data: AlertDeliveryFailed) -> None:
        now = asyncio.get_running_loop().time()
        due = now + max(0, data.retry_at - self._clock()) / SECOND
        self._lane(data.route).was_tried(data.key, data.attempts, due, data.failures)

    def _was_gathered(self, data: AlertsGathered, partition: int) -> None:
        offsets = set(from_text(data.offsets))
        for each in self._lane(data.route).waiting:
            if each.partition == partition and each.offset in offsets:
                each.digest, each.together = data.key, frozenset(data.partitions)

    def _lane(self, name: str) -> Lane:
        if name not in self._lanes:
            hold = partial(bool, self._behind)
            schedule = Schedule(self._first_pause)
            self._lanes[name] = Lane(name, self._delivery.route, self, hold, schedule)
        return self._lanes[name]

    def _caught_up(self, partition: int) -> None:
        if partition in self._behind:
            self._behind.remove(partition)
            self._start()

    def _start(self) -> None:
        if not self._behind:
            for lane in self._lanes.values():
                lane.resume(set(self._there))

    def _is_first(self, raised: Envelope, partition: int, offset: int) -> bool:
        """An alert raised again, by an agent that lost its position, is void here too."""
        alert_id = raised.data.alert_id
        if not admits_origin(self._positions.known(alert_id), raised, partition, offset):
            return False
        first = Known("", "alert", partition, offset, raised.known_time)
        self._positions.put(alert_id, first)
        return True

    async def send(self, route: Route, parcel: Parcel) -> Answer:
        """For a lane. What goes out together is in the log before it goes out."""
        if parcel.digest and not parcel.gathered:
            for partition, fact in gathered_facts(route.name, parcel, self._source, self._clock()):
                await self._surely(None, fact, partition)
            parcel.gathered = True
        if parcel.digest:
            raised = [(each.raised, each.severity) for each in parcel.members]
            return await self._delivery.sender.send(route, of_digest(raised, parcel.key))
        (alone,) = parcel.members
        message = of_alert(alone.raised, alone.severity, parcel.key)
        return await self._delivery.sender.send(route, message)

    async def delivered(self, route: Route, parcel: Parcel) -> None:
        now = self._clock()
        facts = [delivered_fact(route, parcel, each, self._source, now) for each in parcel.members]
        for start in range(0, len(facts), _APPENDED_AT_ONCE):
            part = facts[start : start + _APPENDED_AT_ONCE]
            await asyncio.gather(*(self._surely(fact.subject, fact) for fact in part))

    async def failed(
        self, route: Route, parcel: Parcel, outcome: str, schedule: Schedule, pause: float | None
    ) -> None:
        fact = failed_fact(route, parcel, outcome, schedule, pause, self._source, self._clock())
        told = "given up" if fact.data.given_up else outcome
        logger.warning("alert %s: %s %s", parcel.key, fact.data.receiver, told)
        try:
            await self._log.append(ALERTS, None, fact, parcel.members[0].partition)
        except UnavailableError as error:
            # What is lost is when to try again, and a line of the delivery log.
            logger.warning("alert %s: its attempt is not recorded: %s", parcel.key, error)

    def _since(self, fact: Envelope) -> float:
        """When it became known, as a time of the loop."""
        return asyncio.get_running_loop().time() - max(0, self._age(fact)) / SECOND

    def is_old(self, waiting: Waiting) -> bool:
        return self._age(waiting.cause) > WITHIN_US

    def _age(self, cause: Envelope) -> int:
        return self._clock() - cause.known_time

    async def _surely(self, key: str | None, fact: Envelope, partition: int | None = None) -> None:
        appending = AsyncRetrying(
            wait=wait_exponential(multiplier=self._first_pause, max=_LONGEST_PAUSE),
            retry=retry_if_exception_type(UnavailableError),
            before_sleep=lambda state: _warn_of_append(fact, state),
        )
        await appending(self._log.append, ALERTS, key, fact, partition)

    def _commit(self, partition: int) -> None:
        open_offsets = [
            each.offset
            for lane in self._lanes.values()
            for each in lane.open()
            if each.partition == partition
        ]
        self._positions.commit({partition: min([self._next[partition], *open_offsets])})


def _is_suppressed(raised: Envelope) -> bool:
    return isinstance(raised.data, AlertRaised) and raised.data.suppressed_by is not None


def _warn_of_append(fact: Envelope, state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    logger.warning("alert %s: appending it is tried again: %s", fact.id, error)
