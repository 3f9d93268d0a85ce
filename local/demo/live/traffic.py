"""Sender of live traffic: at a constant rate, half over HTTP and half over Kafka."""

import asyncio
import itertools
from collections.abc import Awaitable, Iterator
from contextlib import closing
from dataclasses import dataclass
from time import monotonic
from typing import Protocol

import orjson

from domain.errors import UnavailableError
from eventlog.topics import INBOX_TRANSACTIONS, Topic
from local.demo.live.events import LiveEvent, LiveLabel, LiveTransaction
from local.demo.live.figures import Answer, Figures
from local.demo.live.http_client import Connection

_CLIENTS = 8
_AHEAD = 2_000
_ATTEMPTS = 5
_PAUSE_SECONDS = 0.2
_BUSY = (429, 503)

_Due = tuple[LiveEvent, float]


class Inbox(Protocol):
    """The part of the log that a producer of inbox records needs."""

    def append_bytes(self, topic: Topic, key: str | None, value: bytes) -> Awaitable[object]: ...


@dataclass(frozen=True, slots=True)
class Schedule:
    """`rate` transactions a second, for so many seconds."""

    seconds: float
    rate: float

    @property
    def transactions(self) -> int:
        return max(1, round(self.seconds * self.rate))


class Traffic:
    """Every other transaction goes to the inbox, the others and all labels go over HTTP."""

    def __init__(self, api_url: str, inbox: Inbox, figures: Figures) -> None:
        self._api_url, self._inbox, self._figures = api_url, inbox, figures
        self._requests: asyncio.Queue[_Due] = asyncio.Queue()
        self.last: LiveTransaction | None = None
        self.ended_at: float | None = None

    async def run(self, events: Iterator[LiveEvent], schedule: Schedule) -> None:
        """Returns once every event is answered, or has failed a few times."""
        clients = [asyncio.create_task(self._client()) for _ in range(_CLIENTS)]
        appends: set[asyncio.Task[None]] = set()
        try:
            await self._send(events, schedule, appends)
            self.ended_at = monotonic()
            await asyncio.gather(self._requests.join(), *appends)
        finally:
            for task in (*clients, *appends):
                task.cancel()
            await asyncio.gather(*clients, *appends, return_exceptions=True)

    async def _send(
        self, events: Iterator[LiveEvent], schedule: Schedule, appends: set[asyncio.Task[None]]
    ) -> None:
        started, number = monotonic(), 0
        while number < schedule.transactions:
            # In a thread, so that making them does not stop the clients.
            ahead = await asyncio.to_thread(lambda: list(itertools.islice(events, _AHEAD)))
            if not ahead:
                return
            if not number:
                started = monotonic()
            for event in ahead:
                if isinstance(event, LiveLabel):
                    self._requests.put_nowait((event, monotonic()))
                    continue
                if number == schedule.transactions:
                    return
                await asyncio.sleep(started + number / schedule.rate - monotonic())
                self._figures.sent[event.transaction_id] = event.fraud
                self.last = event
                if number % 2:
                    task = asyncio.create_task(self._append(event))
                    appends.add(task)
                    task.add_done_callback(appends.discard)
                else:
                    self._requests.put_nowait((event, monotonic()))
                number += 1

    async def _append(self, event: LiveTransaction) -> None:
        for _ in range(_ATTEMPTS):
            try:
                await self._inbox.append_bytes(INBOX_TRANSACTIONS, None, event.body)
            except UnavailableError:
                # It may be in the inbox. Sent again, it is the same submission.
                self._figures.errors["kafka"] += 1
                await asyncio.sleep(_PAUSE_SECONDS)
            else:
                self._figures.acked.add(event.transaction_id)
                return

    async def _client(self) -> None:
        with closing(Connection(self._api_url)) as connection:
            while True:
                event, due = await self._requests.get()
                try:
                    await self._request(connection, event, due)
                finally:
                    self._requests.task_done()

    async def _request(self, connection: Connection, event: LiveEvent, due: float) -> None:
        path = "/labels" if isinstance(event, LiveLabel) else "/score"
        for _ in range(_ATTEMPTS):
            try:
                status, body = await connection.post(path, event.body)
            except UnavailableError:
                self._figures.errors["http"] += 1
            else:
                if 200 <= status < 300:
                    self._answered(event, body, due)
                    return
                self._figures.errors[f"http {status}"] += 1
                if status not in _BUSY:
                    return
            await asyncio.sleep(_PAUSE_SECONDS)

    def _answered(self, event: LiveEvent, body: bytes, due: float) -> None:
        if isinstance(event, LiveLabel):
            self._figures.labels += 1
            return
        # From when it was due: the wait for a free client counts as latency.
        self._figures.latencies.append((monotonic() - due) * 1000)
        decision = orjson.loads(body)
        self._figures.answers[event.transaction_id] = Answer(decision["outcome"], decision["score"])
