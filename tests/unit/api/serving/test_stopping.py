"""A server that is stopped does not wait for clients of the live stream."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast

import httpx
import uvicorn
from fastapi import FastAPI

from api.app import create_app
from api.live import DecisionHub
from api.metrics import Metrics
from runtime.processes.api import Server


@asynccontextmanager
async def hub_alone(_: FastAPI) -> AsyncIterator[Any]:
    hub = DecisionHub(asyncio.get_running_loop())
    alone: Any = SimpleNamespace(others=frozenset, serving=frozenset)
    metrics = Metrics(cast(Any, SimpleNamespace(ends=list)), alone)
    forwarding = SimpleNamespace(ownership=alone)
    yield SimpleNamespace(hub=hub, metrics=metrics, forwarding=forwarding)


class Telling(Server):
    """Says when it takes connections."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()


async def test_open_streams_end_when_the_server_stops() -> None:
    config = uvicorn.Config(
        create_app(hub_alone), port=0, log_level="error", timeout_graceful_shutdown=30
    )
    server = Telling(config)
    serving = asyncio.create_task(server.serve())
    async with asyncio.timeout(10):
        await server.up.wait()
        port = server.servers[0].sockets[0].getsockname()[1]
        async with (
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client,
            client.stream("GET", "/decisions/stream") as response,
        ):
            assert response.status_code == 200
            server.should_exit = True
            began = time.monotonic()
            assert [line async for line in response.aiter_lines()] == []
        await serving
    assert time.monotonic() - began < 5
