"""Duration of requests by route, for /metrics."""

from time import perf_counter
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class TimingMiddleware:
    """Plain ASGI: a streaming response is timed until its first byte."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, answered = perf_counter(), False

        async def timed(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                answered = True
                _observe(scope, int(message["status"]), perf_counter() - started)
            await send(message)

        try:
            await self._app(scope, receive, timed)
        except Exception:
            # If no response has begun, an outer middleware answers 500.
            if not answered:
                _observe(scope, 500, perf_counter() - started)
            raise


def _observe(scope: Scope, status: int, seconds: float) -> None:
    deps: Any = getattr(scope["app"].state, "deps", None)
    if deps is None:
        return
    # The template, not the path: with ids, each request would be a series of its own.
    route = getattr(scope.get("route"), "path", "unmatched")
    deps.metrics.requests.labels(scope["method"], route, str(status)).observe(seconds)
