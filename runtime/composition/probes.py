"""Probes behind /ready: one short question to each server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import urlsplit

from commands import Context
from domain.errors import UnavailableError
from eventlog.topics import TRANSACTIONS
from runtime.settings import Settings

Probe = Callable[[], Awaitable[None]]


def probes_of(settings: Settings, context: Context) -> Mapping[str, Probe]:
    async def kafka() -> None:
        await context.log.ends(TRANSACTIONS)

    return {
        "kafka": kafka,
        "redis": _reachable("redis", settings.redis_url, 6379),
        "postgresql": _reachable("postgresql", settings.database_url, 5432),
        "mongodb": _reachable("mongodb", settings.mongodb_url, 27017),
    }


def _reachable(name: str, url: str, default_port: int) -> Probe:
    """Opens a connection and closes it; asks the server nothing."""
    parts = urlsplit(url)

    async def probe() -> None:
        try:
            _, writer = await asyncio.open_connection(parts.hostname, parts.port or default_port)
        except OSError as error:
            raise UnavailableError(
                name, f"does not answer at {parts.hostname}:{parts.port or default_port}"
            ) from error
        writer.close()

    return probe
