"""Start of the server: until its dependencies are open it answers 503 with what is missing."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress

from fastapi import FastAPI

from api.deps import ApiDeps
from domain.errors import LogUnavailableError, UnavailableError

logger = logging.getLogger(__name__)

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[ApiDeps]]

_PAUSE_SECONDS = 1.0
# After this the server answers, and the start goes on in the background.
_PATIENCE_SECONDS = 5.0


def opening(lifespan: Lifespan) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """The application's lifespan: opens what `lifespan` gives, and retries while a server is away.

    Errors of other kinds end the start or, once it is over, fail every request. The retry is
    a plain loop, not tenacity's: its pause ends with the server, and the block stays open.
    """

    @asynccontextmanager
    async def run(app: FastAPI) -> AsyncIterator[None]:
        app.state.deps = None
        app.state.trouble = LogUnavailableError("what is in the log is still being read")
        tried, ended = asyncio.Event(), asyncio.Event()
        held = asyncio.create_task(_hold(app, lifespan, tried, ended))
        held.add_done_callback(lambda _: tried.set())
        with suppress(TimeoutError):
            await asyncio.wait_for(tried.wait(), _PATIENCE_SECONDS)
        if held.done():
            await held
        try:
            yield
        finally:
            ended.set()
            await held

    return run


async def _hold(
    app: FastAPI, lifespan: Lifespan, tried: asyncio.Event, ended: asyncio.Event
) -> None:
    while not ended.is_set():
        try:
            async with lifespan(app) as deps:
                app.state.deps = deps
                tried.set()
                await ended.wait()
        except UnavailableError as error:
            logger.warning("not open yet: %s", error)
            app.state.trouble = error
            tried.set()
            with suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), _PAUSE_SECONDS)
        except Exception as error:
            app.state.trouble = error
            raise
