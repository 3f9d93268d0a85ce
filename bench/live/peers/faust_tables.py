"""Peer: plain Faust tables, `python -m bench.live.peers.faust_tables SERVERS TOPIC FOLDER NAME`.

Counts and sums of the last hour and day by payer and by merchant, in tumbling windows: what Faust's
documentation shows. Merchants are read from a topic that `group_by` writes, as Faust needs it. How
long each event took until its tables held it is written when the process is stopped.
"""

import sys
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import faust
import orjson

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
READY, TIMES = "ready", "times.json"
PARTITIONS = 8
ENTITIES = ("payer", "merchant")


def changelogs(name: str) -> list[str]:
    """Topics that must be there first: its client may not know yet of those that it makes."""
    return [
        f"{name}-{table}-changelog" for entity in ENTITIES for table, _, _ in _tables_of(entity)
    ]


def _tables_of(entity: str) -> list[tuple[str, timedelta, str]]:
    return [
        (f"{entity}-{what}-{size.total_seconds():g}", size, what)
        for size in (HOUR, DAY)
        for what in ("count", "amount")
    ]


def application(
    servers: str, topic: str, folder: Path, name: str, times: dict[str, list[Any]]
) -> faust.App:
    """`times` gets (sent, microseconds) of each event, by the entity of the tables."""
    app = faust.App(
        name,
        broker=[f"aiokafka://{server}" for server in servers.split(",")],
        store="memory://",
        datadir=str(folder),
        topic_partitions=PARTITIONS,
        web_enabled=False,
        worker_redirect_stdouts=False,
        stream_wait_empty=False,
    )
    source = app.topic(topic, key_type=bytes, value_type=bytes, value_serializer="raw")

    def tables(entity: str) -> list[Any]:
        return [
            app.Table(table, default=int, partitions=PARTITIONS).tumbling(size, expires=2 * size)
            for table, size, _ in _tables_of(entity)
        ]

    payers, merchants = tables("payer"), tables("merchant")

    def folded(entity: str, held: list[Any], event: Any) -> None:
        key = event[0 if entity == "payer" else 1]
        for n, table in enumerate(held):
            table[key] += event[2] if n % 2 else 1
        times[entity].append((event[4], time.time_ns() // 1000 - event[4]))

    @app.agent(source)  # type: ignore[untyped-decorator]
    async def by_payer(stream: Any) -> AsyncIterator[None]:
        async for value in stream:
            folded("payer", payers, orjson.loads(value))
            yield

    @app.agent(source)  # type: ignore[untyped-decorator]
    async def by_merchant(stream: Any) -> AsyncIterator[None]:
        async for value in stream.group_by(merchant_of, name="merchant"):
            folded("merchant", merchants, orjson.loads(value))
            (folder / READY).touch()
            yield

    return app


def merchant_of(value: bytes) -> str:
    merchant: str = orjson.loads(value)[1]
    return merchant


def main(servers: str, topic: str, folder: Path, name: str) -> None:
    times: dict[str, list[Any]] = {entity: [] for entity in ENTITIES}
    app = application(servers, topic, folder, name, times)
    worker = faust.Worker(app, loglevel="WARNING", logfile=None)
    try:
        worker.execute_from_commandline()
    finally:
        (folder / TIMES).write_bytes(orjson.dumps(times))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), sys.argv[4])
