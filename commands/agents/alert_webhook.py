"""Alert webhook: posts each alert to a URL, at least once, in any order, with the alert's id."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from operator import not_
from string import punctuation
from urllib.parse import quote

import httpx
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    RetryError,
    retry_if_exception_type,
    retry_if_result,
    wait_exponential,
)

from domain.errors import RetraceError, UnavailableError
from domain.events import (
    AlertDelivered,
    AlertRaised,
    Envelope,
    ModelAlertDelivered,
    ModelAlertRaised,
    caused_event_id,
)
from domain.money import with_shown_amounts
from domain.times import DAY, to_rfc3339
from domain.wording import sentence
from eventlog.admission.first_wins import KeptMemory, Known, admits_origin
from eventlog.batch import Batch
from eventlog.codec import decode
from eventlog.port import EventLog
from eventlog.topics import ALERTS

logger = logging.getLogger(__name__)

WITHIN_US = DAY
_AT_ONCE = 8
_LONGEST_PAUSE = 60.0
# Of printable ASCII all but the sign that escapes begin with.
_PLAIN = punctuation.replace("%", "") + " "


@dataclass(slots=True)
class _Pending:
    raised: Envelope
    partition: int
    offset: int
    task: asyncio.Task[None] | None = None


class AlertWebhook:
    """POSTs each alert until the receiver answers 2xx, then appends AlertDelivered
    (ModelAlertDelivered for an alert about a model).

    The body's `type` tells the two kinds apart. An alert that is older than a day is given up. The
    receiver drops repeats by the Idempotency-Key header. The position stays below the oldest alert
    that is not delivered. Of a partition that is taken over none is posted before all that was in
    it by then is read: deliveries by the owner before lie behind their alerts.
    """

    def __init__(
        self,
        log: EventLog,
        positions: KeptMemory,
        client: httpx.AsyncClient,
        url: str,
        source: str,
        clock: Callable[[], int],
        first_pause: float = 1.0,
    ) -> None:
        self._log, self._positions, self._client = log, positions, client
        self._url, self._source, self._clock = url, source, clock
        self._pauses = wait_exponential(multiplier=first_pause, max=_LONGEST_PAUSE)
        self._receiver = httpx.URL(url).host
        self._pending: dict[str, _Pending] = {}
        self._next: dict[int, int] = {}
        self._there: dict[int, int] = {}
        self._slots = asyncio.Semaphore(_AT_ONCE)

    async def assign(self, partitions: set[int]) -> Mapping[int, int]:
        ends = await self._log.ends(ALERTS)
        self._there = {partition: ends[partition] for partition in partitions}
        self._next = self._positions.starts(partitions)
        return dict(self._next)

    async def revoke(self, partitions: set[int]) -> None:
        for alert_id, pending in list(self._pending.items()):
            if pending.partition in partitions:
                self._settle(alert_id)

    async def handle(self, batches: Sequence[Batch]) -> None:
        for batch in batches:
            self._take(batch)

    def _take(self, batch: Batch) -> None:
        for offset, _, value in batch.records:
            try:
                envelope = decode(value or b"")
            except RetraceError:
                continue
            if isinstance(envelope.data, AlertDelivered | ModelAlertDelivered):
                self._settle(envelope.data.alert_id)
            elif isinstance(envelope.data, AlertRaised | ModelAlertRaised):
                self._expect(envelope, batch.partition, offset)
        self._next[batch.partition] = batch.next
        if batch.next >= self._there[batch.partition]:
            self._start(batch.partition)
        self._commit(batch.partition)

    def _expect(self, raised: Envelope, partition: int, offset: int) -> None:
        alert_id = raised.data.alert_id
        if not self._is_first(raised, partition, offset):
            return
        if alert_id in self._pending or self._is_old(raised):
            return
        self._pending[alert_id] = _Pending(raised, partition, offset)

    def _start(self, partition: int) -> None:
        for pending in self._pending.values():
            if pending.partition == partition and pending.task is None:
                pending.task = asyncio.create_task(self._deliver(pending.raised))

    def _is_first(self, raised: Envelope, partition: int, offset: int) -> bool:
        """An alert raised again, by an agent that lost its position, is void here too."""
        alert_id = raised.data.alert_id
        known = self._positions.known([alert_id]).get(alert_id)
        if not admits_origin(known, raised, partition, offset):
            return False
        first = Known("", "alert", partition, offset, raised.known_time)
        self._positions.put({alert_id: first})
        return True

    async def _deliver(self, raised: Envelope) -> None:
        posting = AsyncRetrying(
            wait=self._pauses, retry=retry_if_result(not_), stop=lambda _: self._is_old(raised)
        )
        try:
            await posting(self._post, raised)
        except RetryError:
            logger.warning("alert %s is given up: not delivered within a day", raised.id)
            self._pending.pop(raised.data.alert_id, None)
            return
        delivered = self._delivered(raised, posting.statistics["attempt_number"])
        appending = AsyncRetrying(
            wait=self._pauses,
            retry=retry_if_exception_type(UnavailableError),
            before_sleep=lambda state: _warn_of_append(raised, state),
        )
        await appending(self._log.append, ALERTS, raised.subject, delivered)

    def _is_old(self, raised: Envelope) -> bool:
        return self._clock() - raised.known_time > WITHIN_US

    async def _post(self, raised: Envelope) -> bool:
        more: dict[str, object] = {"type": raised.type, "raised_at": to_rfc3339(raised.known_time)}
        if isinstance(raised.data, AlertRaised):
            own = raised.data.told
            more["why"] = [own.get(code) or sentence(code) for code in raised.data.reasons]
        body = with_shown_amounts(asdict(raised.data)) | more
        body.pop("told", None)
        # A header is ASCII, and ids need not be.
        headers = {"Idempotency-Key": quote(raised.id, safe=_PLAIN)}
        try:
            async with self._slots:
                response = await self._client.post(self._url, json=body, headers=headers)
            if response.is_success:
                return True
            outcome = f"answered {response.status_code}"
        except (httpx.HTTPError, ValueError) as error:
            outcome = str(error) or type(error).__name__
        logger.warning("alert %s: %s %s", raised.id, self._receiver, outcome)
        return False

    def _delivered(self, raised: Envelope, attempts: int) -> Envelope:
        now = self._clock()
        receipt = self._receipt(raised, attempts)
        return Envelope(
            id=caused_event_id(raised.id, type(receipt)),
            source=self._source,
            subject=raised.subject,
            time=now,
            known_time=now,
            data=receipt,
            correlation_id=raised.correlation_id,
            causation_id=raised.id,
        )

    def _receipt(self, raised: Envelope, attempts: int) -> AlertDelivered | ModelAlertDelivered:
        alert_id, receiver = raised.data.alert_id, self._receiver
        if isinstance(raised.data, ModelAlertRaised):
            return ModelAlertDelivered(
                alert_id=alert_id,
                model_id=raised.data.model_id,
                receiver=receiver,
                attempts=attempts,
            )
        return AlertDelivered(
            alert_id=alert_id, transaction_id=raised.subject, receiver=receiver, attempts=attempts
        )

    def _settle(self, alert_id: str) -> None:
        pending = self._pending.pop(alert_id, None)
        if pending and pending.task:
            pending.task.cancel()

    def _commit(self, partition: int) -> None:
        open_offsets = [p.offset for p in self._pending.values() if p.partition == partition]
        self._positions.commit({partition: min([self._next[partition], *open_offsets])})


def _warn_of_append(raised: Envelope, state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    logger.warning("alert %s is delivered; appending that is tried again: %s", raised.id, error)
