"""Floors: what the parts of a decision cost that no design can leave out, on this machine."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any
from urllib.parse import urlsplit

import psutil

from bench.live.load import Generator, offer, spread
from eventlog.port import InboxLog
from eventlog.topics import INBOX_TRANSACTIONS
from host.ports import free_ports
from host.processes import wait_until
from local.stack.probes import http_answers
from runtime.composition.log import open_another_log
from runtime.settings import Settings

_WARM, _APPENDS, _PINGS = 20, 500, 2_000
_PREFIX, _HOST = "bench-floor-", "127.0.0.1"
_RECORD = b"x" * 1_500  # as long as a decision


def floors(
    settings: Settings, rates: list[float], seconds: float, chance: Random
) -> dict[str, Any]:
    """Milliseconds of an acknowledged append, of a round trip to Redis, and of an empty route at
    each of the rates, with what the route costs of a processor."""
    with open_another_log(settings, _PREFIX) as log:
        appends = spread(asyncio.run(_appends(log)))
    return {
        "kafka_append_ms": appends,
        "redis_round_trip_ms": spread(asyncio.run(_pings(settings.redis_url))),
        "empty_route": {str(rate): _empty_route(rate, seconds, chance) for rate in rates},
    }


async def _appends(log: InboxLog) -> list[float]:
    """One after the other, by the product's own producer."""
    taken = []
    for number in range(_WARM + _APPENDS):
        began = time.perf_counter()
        await log.append_bytes(INBOX_TRANSACTIONS, None, _RECORD, 0)
        if number >= _WARM:
            taken.append((time.perf_counter() - began) * 1e3)
    return taken


async def _pings(url: str) -> list[float]:
    """One after the other, over one connection and without a client library."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    taken = []
    for _ in range(_PINGS):
        began = time.perf_counter()
        writer.write(b"*1\r\n$4\r\nPING\r\n")
        await reader.readuntil(b"\r\n")
        taken.append((time.perf_counter() - began) * 1e3)
    writer.close()
    return taken


def _empty_route(rate: float, seconds: float, chance: Random) -> dict[str, Any]:
    with _served() as (url, process):
        spent = sum(process.cpu_times()[:2])
        generator = Generator([url], "/", iter(lambda: b"{}", None))
        offered = offer(generator, rate, seconds, chance)
        took = sum(process.cpu_times()[:2]) - spent
    each = round(took / max(offered.requests, 1) * 1e3, 3)
    return {**offered.facts(), "processor_ms_each": each}


@contextmanager
def _served() -> Iterator[tuple[str, psutil.Process]]:
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "uvicorn", "bench.live.empty:answer", "--port", str(port)]
    command += ["--log-level", "error", "--no-access-log"]
    with subprocess.Popen(command) as process:
        try:
            if not wait_until(lambda: asyncio.run(http_answers(_HOST, port, "/")), 30):
                raise RuntimeError("uvicorn does not start")
            yield f"http://{_HOST}:{port}", psutil.Process(process.pid)
        finally:
            process.terminate()
