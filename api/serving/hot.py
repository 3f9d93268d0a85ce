"""Hot routes: answered in front of the router, for what a decision takes is mostly the way to it.

An endpoint is the same function as in the router, which documents it and is never reached. It takes
the request alone and returns a response.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api.errors import response_to

Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class _Route:
    """As the router leaves it in the scope: metrics are by path."""

    path: str


class HotRoutes:
    """Plain ASGI; `endpoints` by method and path, without parameters."""

    def __init__(self, app: ASGIApp, endpoints: Mapping[tuple[str, str], Endpoint]) -> None:
        self._app = app
        self._found = {key: (_Route(key[1]), each) for key, each in endpoints.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = (
            self._found.get((scope["method"], scope["path"])) if scope["type"] == "http" else None
        )
        if found is None:
            await self._app(scope, receive, send)
            return
        scope["route"], endpoint = found
        request = Request(scope, receive)
        try:
            response = await endpoint(request)
        except Exception as error:
            told = await response_to(request, error)
            if told is None:
                raise
            response = told
        await response(scope, receive, send)
