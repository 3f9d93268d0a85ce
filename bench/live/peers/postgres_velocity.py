"""Peer: PostgreSQL alone, `python -m bench.live.peers.postgres_velocity URL FEED FOLDER`.

Each payment is one transaction: its row is inserted, and the velocities of its payer and merchant
are counted from the rows there, over an hour, a day and a week. So a state is fresh once that has
committed, and the query is what a decision would wait for. Arrivals are an open loop.
"""

import asyncio
import itertools
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import orjson
import psycopg

from bench.live.load import due_times, spread
from bench.live.peers.events import PeerEvent, read_feed
from domain.times import DAY, HOUR

READY, OUT = "ready", "out.json"
_CONNECTIONS = 16
_SCHEMA = """
drop schema if exists bench_peer cascade;
create schema bench_peer;
create table bench_peer.payments (payer text, merchant text, amount bigint, at bigint);
"""
_INDEXES = """
create index on bench_peer.payments (payer, at);
create index on bench_peer.payments (merchant, at);
analyze bench_peer.payments;
"""
_INSERT = "insert into bench_peer.payments values (%s, %s, %s, %s)"
_VELOCITY = """
select count(*) filter (where at >= %(hour)s), sum(amount) filter (where at >= %(hour)s),
       count(*) filter (where at >= %(day)s), sum(amount) filter (where at >= %(day)s),
       count(*), sum(amount)
from bench_peer.payments where {} = %(key)s and at >= %(week)s and at <= %(at)s
"""
_BY_PAYER, _BY_MERCHANT = _VELOCITY.format("payer"), _VELOCITY.format("merchant")


async def run(url: str, feed_file: Path, ready: Callable[[], None]) -> dict[str, object]:
    """Milliseconds from when each was due until it had committed, and of the queries alone.

    `ready` is called once the history is there.
    """
    feed = read_feed(feed_file)
    await _filled(url, feed.history)
    ready()
    free: asyncio.Queue[psycopg.AsyncConnection[object]] = asyncio.Queue()
    for _ in range(_CONNECTIONS):
        free.put_nowait(await psycopg.AsyncConnection.connect(url))
    loop = asyncio.get_running_loop()
    ahead = list(due_times(feed.rate, feed.warm_up + feed.seconds, Random(feed.seed)))
    fresh, queries, began, spent = list[float](), list[float](), loop.time(), time.process_time()

    async def each(event: PeerEvent, at: float) -> None:
        connection = await free.get()
        asked = loop.time()
        async with connection.transaction(), connection.cursor() as cursor:
            for query, key in ((_BY_PAYER, event.payer), (_BY_MERCHANT, event.merchant)):
                times = {"hour": event.at - HOUR, "day": event.at - DAY, "week": event.at - 7 * DAY}
                await cursor.execute(query, {"key": key, "at": event.at, **times})
                await cursor.fetchone()
            answered = loop.time()
            await cursor.execute(_INSERT, (event.payer, event.merchant, event.amount, event.at))
        free.put_nowait(connection)
        if at >= feed.warm_up:
            fresh.append((loop.time() - began - at) * 1e3)
            queries.append((answered - asked) * 1e3)

    async with asyncio.TaskGroup() as group:
        for event, at in zip(itertools.cycle(feed.events), ahead, strict=False):
            if (pause := began + at - loop.time()) > 0:
                await asyncio.sleep(pause)
            group.create_task(each(event, at))
    return {
        "requests": len(ahead),
        "milliseconds": spread(fresh),
        "query_ms": spread(queries),
        "processor_ms_each": round((time.process_time() - spent) / len(ahead) * 1e3, 3),
    }


async def _filled(url: str, history: list[PeerEvent]) -> None:
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute(_SCHEMA)
        async with (
            connection.cursor() as cursor,
            cursor.copy("copy bench_peer.payments from stdin") as copy,
        ):
            for each in history:
                await copy.write_row((each.payer, each.merchant, each.amount, each.at))
        await connection.execute(_INDEXES)


if __name__ == "__main__":
    folder = Path(sys.argv[3])
    found = asyncio.run(run(sys.argv[1], Path(sys.argv[2]), (folder / READY).touch))
    (folder / OUT).write_bytes(orjson.dumps(found))
