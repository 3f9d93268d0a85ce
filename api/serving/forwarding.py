"""Forwarding: a request goes on to the process that answers for its transaction, over one hop.

All that is forwarded is safe to send again: under the same id it is the same.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import aiohttp
from starlette.requests import Request
from starlette.responses import Response
from yarl import URL

from domain.errors import NotOwnedError, UnavailableError
from eventlog.ownership.ownership import Ownership

T = TypeVar("T")

# Says that the request has been forwarded already, and is not to go any further.
FORWARDED = "Retrace-Forwarded"
_MISDIRECTED = 421
_PASSED_ON = "Content-Type", "Location", "Retry-After"
_CONNECT_SECONDS, _ANSWER_SECONDS = 1.0, 10.0
# Below uvicorn's five seconds: a connection is not used while the other side closes it.
_IDLE_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Sent:
    """What is forwarded; `path` has its query, and both are quoted."""

    method: str
    path: str
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """What the owner answered."""

    status: int
    body: bytes
    headers: Mapping[str, str]


class Forwarding:
    """One event loop owns it, from its making on."""

    def __init__(self, ownership: Ownership) -> None:
        self.ownership = ownership
        timeout = aiohttp.ClientTimeout(_ANSWER_SECONDS, connect=_CONNECT_SECONDS)
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=_IDLE_SECONDS)
        self.session = aiohttp.ClientSession(connector=connector, timeout=timeout)

    async def close(self) -> None:
        await self.session.close()

    async def respond(
        self,
        request: Request,
        transaction_id: str | None,
        body: str | None,
        here: Callable[[], Awaitable[Response]],
    ) -> Response:
        """The owner's response to the whole request; ours where there is no id to go by."""
        if transaction_id is None:
            return await here()

        async def there(url: str) -> Response:
            # Made here: most requests are answered where they come.
            return _response(await self._there(transaction_id, _sent(request, body), url))

        forwarded = FORWARDED in request.headers
        try:
            return await self.ownership.at_owner(transaction_id, here, there, forwarded)
        except NotOwnedError:
            if forwarded:
                return Response(status_code=_MISDIRECTED)
            raise

    async def at_owner(
        self,
        transaction_id: str,
        here: Callable[[], Awaitable[T]],
        sent: Sent,
        taken: Callable[[Answered], T],
    ) -> T:
        """What `here` answers, or what is `taken` of the owner's answer to what is `sent` to it."""

        async def there(url: str) -> T:
            return taken(await self._there(transaction_id, sent, url))

        return await self.ownership.at_owner(transaction_id, here, there)

    async def _there(self, transaction_id: str, sent: Sent, url: str) -> Answered:
        headers = {FORWARDED: "1"} | ({"Content-Type": "application/json"} if sent.body else {})
        target = URL(url + sent.path, encoded=True)
        try:
            async with self.session.request(
                sent.method, target, data=sent.body, headers=headers
            ) as response:
                if response.status == _MISDIRECTED:
                    raise NotOwnedError(transaction_id)
                return Answered(response.status, await response.read(), response.headers)
        except TimeoutError as error:
            raise UnavailableError(
                "api", f"{url} answers for this transaction and is late; retry under the same id"
            ) from error
        except aiohttp.ClientError as error:
            raise NotOwnedError(transaction_id) from error


def _sent(request: Request, body: str | None) -> Sent:
    scope = request.scope
    query = b"?" + scope["query_string"] if scope["query_string"] else b""
    path = (scope.get("raw_path") or scope["path"].encode()) + query
    return Sent(scope["method"], path.decode(), None if body is None else body.encode())


def _response(answered: Answered) -> Response:
    headers = {each: answered.headers[each] for each in _PASSED_ON if each in answered.headers}
    return Response(answered.body, answered.status, headers)
