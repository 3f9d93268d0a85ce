"""A link to Redis, over the loop that processes run, to a server that a thread plays."""

import asyncio
import socket
import threading
import time
from collections.abc import Awaitable, Callable

import pytest
import uvloop

from domain.errors import UnavailableError
from projections.online.adapters.redis_link import Command, RedisLink

_SECONDS = 0.05
_PING: list[Command] = [("PING",)]


def played(use: Callable[[RedisLink], Awaitable[None]], answers: int) -> None:
    """Uses a link to a server that answers so many pings."""

    def serve() -> None:
        connected, _ = listening.accept()
        with connected:
            for _ in range(answers):
                connected.recv(64)
                connected.sendall(b"+PONG\r\n")
            while connected.recv(64):
                pass

    async def run() -> None:
        link = RedisLink(f"redis://127.0.0.1:{listening.getsockname()[1]}/0", _SECONDS)
        try:
            await use(link)
        finally:
            link.close()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = threading.Thread(target=serve)
        server.start()
        uvloop.run(run())
        server.join()


def test_an_answer_that_came_while_the_loop_stood_still_is_taken() -> None:
    async def use(link: RedisLink) -> None:
        await link.run(_PING)
        asking = asyncio.ensure_future(link.run(_PING))
        await asyncio.sleep(0)
        time.sleep(2 * _SECONDS)  # noqa: ASYNC251 (the standstill)
        assert await asking == [b"PONG"]

    played(use, 2)


def test_a_server_that_does_not_answer_is_away() -> None:
    async def use(link: RedisLink) -> None:
        with pytest.raises(UnavailableError, match=r"did not answer within 0\.05 s"):
            await link.run(_PING)

    played(use, 0)
