"""Runs of the peers, one after the other, on the servers of an installation without its apps."""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import orjson
import psutil

from bench.live.costs import milliseconds_each, processor_seconds
from bench.live.load import due_times, spread
from bench.live.peers import faust_tables, postgres_velocity
from bench.live.peers.events import Feed, PeerEvent
from bench.live.peers.feast_server import feast_server
from bench.live.producer import make_topics
from eventlog.port import InboxLog
from eventlog.topics import TRANSACTIONS
from host.clock import now_us
from host.processes import wait_until
from local.stack.errors import StackError
from runtime.composition.log import open_another_log
from runtime.settings import CHECKOUT, Settings

_PREFIX = "bench-peer-"
_READY_SECONDS, _STOP_SECONDS = 90.0, 60.0
_KNOCK_SECONDS = 1.0


def peers(settings: Settings, feed: Feed) -> dict[str, Any]:
    """What each of them came to with this feed. Raises StackError where one does not run."""
    return {
        "faust_tables": _faust(settings, feed),
        "postgresql": _postgres(settings, feed),
        "feast_server": feast_server(settings, feed),
    }


def _postgres(settings: Settings, feed: Feed) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        folder, given = Path(name), Path(name) / "feed.json"
        given.write_bytes(msgspec.json.encode(feed))
        url = settings.database_url.replace("+psycopg", "", 1)
        with _process(settings, "postgres_velocity", url, str(given), name) as (process, _):
            ready = folder / postgres_velocity.READY
            wait_until(lambda: ready.exists() or process.poll() is not None, _READY_SECONDS)
            before = processor_seconds(settings)
            if process.wait():
                raise StackError(
                    f"the velocity queries failed: see {_log(settings, 'postgres_velocity')}"
                )
            after = processor_seconds(settings)
        found: dict[str, Any] = orjson.loads((folder / postgres_velocity.OUT).read_bytes())
    return {**found, "servers_ms_each": milliseconds_each(before, after, found["requests"])}


def _faust(settings: Settings, feed: Feed) -> dict[str, Any]:
    """`payer` tables are keyed as the topic is; of `merchant` each event comes by another topic."""
    with tempfile.TemporaryDirectory() as name, open_another_log(settings, _PREFIX) as log:
        folder, topic = Path(name), _PREFIX + TRANSACTIONS.name
        servers = settings.kafka_bootstrap_servers
        app = f"{_PREFIX}faust-{now_us():x}"
        make_topics(servers, faust_tables.changelogs(app), faust_tables.PARTITIONS)
        with _process(settings, "faust_tables", servers, topic, name, app) as (process, watched):
            ready = folder / faust_tables.READY
            _knock(log, feed.events[0], lambda: ready.exists() or process.poll() is not None)
            if not ready.exists():
                raise StackError(
                    f"plain Faust does not start: see {_log(settings, 'faust_tables')}"
                )
            before, spent = processor_seconds(settings), sum(watched.cpu_times()[:2])
            sent, counted_from = asyncio.run(_fed(log, feed))
            after, taken = processor_seconds(settings), sum(watched.cpu_times()[:2]) - spent
            process.terminate()
            process.wait(_STOP_SECONDS)
        times = orjson.loads((folder / faust_tables.TIMES).read_bytes())
    return {
        "requests": sent,
        "milliseconds": {
            entity: spread([took / 1e3 for at, took in each if at >= counted_from])
            for entity, each in times.items()
        },
        "processor_ms_each": round(taken / sent * 1e3, 3),
        "servers_ms_each": milliseconds_each(before, after, sent),
    }


def _knock(log: InboxLog, event: PeerEvent, heard: Callable[[], bool]) -> None:
    """Sends it until somebody has it: a consumer may begin at the end of its topic."""
    end = time.monotonic() + _READY_SECONDS
    while not heard() and time.monotonic() < end:
        asyncio.run(_send(log, event))
        wait_until(heard, _KNOCK_SECONDS)


async def _send(log: InboxLog, event: PeerEvent) -> None:
    value = msgspec.json.encode(msgspec.structs.replace(event, sent=now_us()))
    await log.append_bytes(TRANSACTIONS, event.payer, value)


async def _fed(log: InboxLog, feed: Feed) -> tuple[int, int]:
    """Open loop; returns how many were sent, and from when on (us) they count."""
    loop = asyncio.get_running_loop()
    ahead = list(due_times(feed.rate, feed.warm_up + feed.seconds, Random(feed.seed)))
    began, counted_from = loop.time(), now_us() + round(feed.warm_up * 1e6)
    async with asyncio.TaskGroup() as group:
        for number, at in enumerate(ahead):
            if (pause := began + at - loop.time()) > 0:
                await asyncio.sleep(pause)
            group.create_task(_send(log, feed.events[number % len(feed.events)]))
    # What is under way still belongs to it.
    await asyncio.sleep(1.0)
    return len(ahead), counted_from


def _log(settings: Settings, name: str) -> Path:
    return settings.state_dir / "logs" / f"peer-{name}.log"


@contextmanager
def _process(
    settings: Settings, name: str, *arguments: str
) -> Iterator[tuple["subprocess.Popen[bytes]", psutil.Process]]:
    command = [sys.executable, "-m", f"bench.live.peers.{name}", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    with (
        _log(settings, name).open("ab") as log,
        subprocess.Popen(command, cwd=CHECKOUT, env=environment, stdout=log, stderr=log) as process,
    ):
        try:
            yield process, psutil.Process(process.pid)
        finally:
            if process.poll() is None:
                process.kill()
