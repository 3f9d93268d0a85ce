"""One connection to Redis on the event loop: commands of all callers in flight at once, in order.

Ours, because a decision waits for it: hiredis reads and writes the protocol, and no task, lock or
pool stands between a command and the socket. What does not need that uses redis-py.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import Sequence
from typing import Any, cast

import hiredis
from redis.connection import parse_url
from redis.exceptions import RedisError

from domain.errors import UnavailableError

# uvloop looks at its clocks before its sockets: after a standstill of the loop, an answer that came
# in time is read only after the time is over.
_READ_SECONDS = 0.002

Command = tuple[str | int | bytes, ...]
Reply = Any


class RedisLink:
    """Connects when first asked, and again after a failure. One event loop owns it.

    `timeout` is in seconds, for a round trip and for connecting.
    """

    def __init__(self, url: str, timeout: float) -> None:
        self._options = parse_url(url)  # type: ignore[no-untyped-call]
        self._timeout = timeout
        self.connections = 0
        self._wire: _Wire | None = None
        self._connecting: asyncio.Task[_Wire] | None = None

    async def run(self, commands: Sequence[Command]) -> list[Reply]:
        """The replies, in order, of one round trip.

        Raises UnavailableError where the server is away or late, or refuses one of the commands.
        """
        timer = None
        try:
            async with asyncio.timeout(None) as limit:
                loop = asyncio.get_running_loop()
                timer = loop.call_later(self._timeout, _over_soon, limit)
                wire = self._wire if self._wire and self._wire.open else await self._connected()
                replies = await wire.send(commands)
        except (OSError, TimeoutError, RedisError, hiredis.ProtocolError) as error:
            # What comes late would be taken for the reply to something else.
            self.close()
            told = str(error) or f"did not answer within {self._timeout:g} s"
            raise UnavailableError("redis", told) from error
        finally:
            if timer is not None:
                timer.cancel()
        for reply in replies:
            if isinstance(reply, hiredis.ReplyError):
                raise UnavailableError("redis", str(reply))
        return replies

    def close(self) -> None:
        if self._wire is not None:
            self._wire.close()
            self._wire = None

    async def _connected(self) -> "_Wire":
        if self._connecting is None or self._connecting.done():
            self._connecting = asyncio.ensure_future(self._connect())
        return await asyncio.shield(self._connecting)

    async def _connect(self) -> "_Wire":
        async with asyncio.timeout(self._timeout):
            loop, options = asyncio.get_running_loop(), self._options
            _, wire = await loop.create_connection(
                _Wire,
                options.get("host", "localhost"),
                options.get("port", 6379),
                ssl=ssl.create_default_context() if "connection_class" in options else None,
            )
            greetings: list[Command] = []
            if password := options.get("password"):
                user = options.get("username")
                greetings.append(("AUTH", user, password) if user else ("AUTH", password))
            if database := options.get("db"):
                greetings.append(("SELECT", database))
            for reply in await wire.send(greetings) if greetings else ():
                if isinstance(reply, hiredis.ReplyError):
                    wire.close()
                    raise RedisError(str(reply))
        self._wire = wire
        self.connections += 1
        return wire


def _over_soon(limit: asyncio.Timeout) -> None:
    limit.reschedule(asyncio.get_running_loop().time() + _READ_SECONDS)


class _Wire(asyncio.Protocol):
    def __init__(self) -> None:
        self._reader = hiredis.Reader()
        # Each who waits: the replies that came, how many there are to be, and where they go.
        self._waiting: deque[tuple[list[Reply], int, asyncio.Future[list[Reply]]]] = deque()
        self._transport: asyncio.Transport | None = None

    @property
    def open(self) -> bool:
        return self._transport is not None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's is none of asyncio's classes.
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        waiting, self._waiting = self._waiting, deque()
        for _, _, future in waiting:
            if not future.done():
                future.set_exception(exc or ConnectionError("the connection was closed"))

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        while self._waiting:
            replies, count, future = self._waiting[0]
            while len(replies) < count:
                reply = self._reader.gets()
                if reply is False:
                    return
                replies.append(reply)
            self._waiting.popleft()
            if not future.done():
                future.set_result(replies)

    async def send(self, commands: Sequence[Command]) -> list[Reply]:
        if self._transport is None:
            raise ConnectionError("the connection was closed")
        future: asyncio.Future[list[Reply]] = asyncio.get_running_loop().create_future()
        self._waiting.append(([], len(commands), future))
        packed = [hiredis.pack_command(each) for each in commands]  # type: ignore[arg-type]
        self._transport.write(b"".join(packed))
        return await future

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()
