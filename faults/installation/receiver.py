"""Receiver of alerts: answers, is away, or takes an alert whose answer is lost."""

import asyncio

import httpx

from faults.audit.evidence import Post
from faults.loop.clock import wall_clock
from faults.servers.trouble import Trouble

URL = "http://receiver/alerts"
_HOP = 0.02


class Receiver(httpx.AsyncBaseTransport):
    """The other side of the webhook."""

    def __init__(self, trouble: Trouble) -> None:
        self._trouble = trouble
        self._now = wall_clock(trouble.loop)
        self.away_until = 0.0
        self.posts: list[Post] = []

    def go_away(self, seconds: float) -> None:
        self.away_until = self._trouble.loop.time() + seconds

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(self._trouble.delay(_HOP))
        if self.away_until > self._trouble.loop.time():
            raise httpx.ConnectError("connection refused")
        self.posts.append(Post(key=request.headers["Idempotency-Key"], at=self._now()))
        await asyncio.sleep(self._trouble.delay(_HOP))
        if self._trouble.answer_is_lost():
            raise httpx.ReadTimeout("no answer")
        return httpx.Response(204)
