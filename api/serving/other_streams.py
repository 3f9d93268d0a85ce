"""Live decisions of the other processes: each streams what it owns."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp

from api.serving.forwarding import FORWARDED, Forwarding

logger = logging.getLogger(__name__)

_QUEUED = 1_000
_LOOK_SECONDS = 1.0
_ENDLESS = aiohttp.ClientTimeout(total=None, connect=1.0, sock_read=60.0)


@dataclass(frozen=True, slots=True)
class Streamed:
    """One event of another process; `data` is JSON."""

    event_id: str
    data: str


async def other_decisions(
    forwarding: Forwarding, path: str, last_event_id: str | None
) -> AsyncIterator[Streamed]:
    """For ever; a process that begins or comes back is taken up within seconds."""
    queue: asyncio.Queue[Streamed] = asyncio.Queue(_QUEUED)
    reading: dict[str, asyncio.Task[None]] = {}
    try:
        while True:
            for url in forwarding.ownership.others():
                if url not in reading or reading[url].done():
                    reading[url] = asyncio.create_task(
                        _read(forwarding.session, url + path, last_event_id, queue)
                    )
            try:
                async with asyncio.timeout(_LOOK_SECONDS):
                    streamed = await queue.get()
            except TimeoutError:
                continue
            last_event_id = streamed.event_id
            yield streamed
    finally:
        for each in reading.values():
            each.cancel()


async def _read(
    session: aiohttp.ClientSession,
    url: str,
    last_event_id: str | None,
    queue: "asyncio.Queue[Streamed]",
) -> None:
    headers = {FORWARDED: "1"} | ({"Last-Event-ID": last_event_id} if last_event_id else {})
    fields: dict[str, str] = {}
    try:
        async with session.get(url, headers=headers, timeout=_ENDLESS) as response:
            async for line in response.content:
                name, _, value = line.decode().rstrip("\r\n").partition(": ")
                if name:
                    fields[name] = value
                    continue
                if "id" in fields and "data" in fields:
                    await queue.put(Streamed(fields["id"], fields["data"]))
                fields = {}
    except (aiohttp.ClientError, TimeoutError) as error:
        logger.debug("%s does not stream: %s", url, error)
