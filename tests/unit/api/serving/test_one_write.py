"""Answers leave in one write, and nothing is held that nothing follows."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI, Response
from fastapi.responses import StreamingResponse
from uvicorn.server import ServerState

from api.serving.one_write import OneWrite


class Transport:
    """What was written to a connection, until it was closed."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.closed, self.news = False, asyncio.Event()

    def write(self, data: bytes) -> None:
        assert not self.closed
        self.written.append(data)
        self.news.set()

    def close(self) -> None:
        self.closed = True
        self.news.set()

    def is_closing(self) -> bool:
        return self.closed

    def get_extra_info(self, _name: str) -> None:
        return None

    def __getattr__(self, _name: str) -> Any:
        return lambda *_: None


class Connection:
    def __init__(self) -> None:
        self.app, self.more = FastAPI(), asyncio.Event()
        self.app.get("/sized")(lambda: {"ok": True})
        self.app.head("/sized")(lambda: {"ok": True})
        self.app.get("/none")(lambda: Response(status_code=204))
        self.app.get("/stream")(lambda: StreamingResponse(self._pieces()))
        config = uvicorn.Config(
            self.app, http=OneWrite, log_config=None, lifespan="off", timeout_keep_alive=60
        )
        config.load()
        self.transport = Transport()
        protocol = OneWrite(config=config, server_state=ServerState(), app_state={})
        protocol.connection_made(self.transport)  # type: ignore[arg-type]
        self.protocol = protocol

    async def _pieces(self) -> AsyncIterator[bytes]:
        await self.more.wait()
        yield b"piece"

    def ask(self, method: str, path: str, *headers: str) -> None:
        lines = [f"{method} {path} HTTP/1.1", "host: here", *headers, "", ""]
        self.protocol.data_received("\r\n".join(lines).encode())

    async def has(self, end: bytes, count: int = 1) -> list[bytes]:
        """All writes, once there are so many and the last of them ends so."""
        async with asyncio.timeout(10):
            while len(self.transport.written) < count or not self.transport.written[-1].endswith(
                end
            ):
                self.transport.news.clear()
                await self.transport.news.wait()
        return self.transport.written


async def test_head_and_body_leave_together_each_time() -> None:
    connection = Connection()
    for count in (1, 2):
        connection.ask("GET", "/sized")
        written = await connection.has(b'{"ok":true}', count)
        assert len(written) == count
        assert written[-1].startswith(b"HTTP/1.1 200 OK\r\n")
        await asyncio.sleep(0)


async def test_an_answer_to_head_is_not_held_back() -> None:
    connection = Connection()
    connection.ask("HEAD", "/sized")
    (written,) = await connection.has(b"\r\n\r\n")
    assert b"content-length: 11\r\n" in written


async def test_an_answer_without_a_body_is_not_held_back() -> None:
    connection = Connection()
    connection.ask("GET", "/none")
    written = b"".join(await connection.has(b""))
    assert written.startswith(b"HTTP/1.1 204")
    assert written.endswith(b"\r\n\r\n")


async def test_the_head_of_a_stream_does_not_wait_for_its_first_piece() -> None:
    connection = Connection()
    connection.ask("GET", "/stream")
    assert len(await connection.has(b"\r\n\r\n")) == 1
    connection.more.set()
    await connection.has(b"0\r\n\r\n")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_connection_that_is_to_be_closed_has_all_before(method: str) -> None:
    connection = Connection()
    connection.ask(method, "/sized", "connection: close")
    (written,) = await connection.has(b'{"ok":true}' if method == "GET" else b"\r\n\r\n")
    assert b"content-length: 11\r\n" in written
    assert connection.transport.closed
