"""A server whose log is away at the start answers 503, and opens when the log is back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import httpx
import pytest
from fastapi import FastAPI

from api.app import create_app
from api.deps import ApiDeps
from domain.errors import LogUnavailableError, SettingsError


async def test_requests_get_503_until_the_log_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.opening._PAUSE_SECONDS", 0.01)
    back, opened = asyncio.Event(), asyncio.Event()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[ApiDeps]:
        if not back.is_set():
            raise LogUnavailableError("no broker answers")
        opened.set()
        yield cast(ApiDeps, object())

    app = create_app(lifespan)
    transport = httpx.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://test") as client,
    ):
        refused = await client.post("/score", content="{}")
        assert refused.status_code == 503
        assert refused.headers["retry-after"]
        assert "no broker answers" in refused.json()["detail"]
        assert (await client.get("/health")).status_code == 200
        back.set()
        await asyncio.wait_for(opened.wait(), 10)
        # The turn in which the application takes what the lifespan has just yielded.
        await asyncio.sleep(0)
        assert app.state.deps is not None


async def test_a_wrong_setting_ends_the_start() -> None:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[ApiDeps]:
        yield wrong()

    def wrong() -> ApiDeps:
        raise SettingsError("RETRACE_X is wrong")

    app = create_app(lifespan)
    with pytest.raises(SettingsError):
        await app.router.lifespan_context(app).__aenter__()
