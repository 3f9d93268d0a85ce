"""Peer: plain Faust tables, `python -m bench.live.peers.faust_tables SERVERS TOPIC FOLDER`.

Counts and sums of the last hour and day by payer and by merchant, in tumbling windows: what Faust's
documentation shows. Merchants are read from a topic that `group_by` writes, as Faust needs it. How
long each event took until its tables held it is written when the process is stopped.
"""

import signal
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
STOP = signal.SIGUSR1


def application(servers: str, topic: str, folder: Path, times: dict[str, list[Any]]) -> faust.App:
    """`times` gets (sent, microseconds) of each event, by the entity of the tables."""
    app = faust.App(
        "bench-peer-faust",
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
            app.Table(f"{entity}-{what}-{size.total_seconds():g}", default=int).tumbling(
                size, expires=2 * size
            )
            for size in (HOUR, DAY)
            for what in ("count", "amount")
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


def main(servers: str, topic: str, folder: Path) -> None:
    times: dict[str, list[Any]] = {"payer": [], "merchant": []}
    app = application(servers, topic, folder, times)
    worker = faust.Worker(app, loglevel="WARNING", logfile=None)

    def stopped(*_: object) -> None:
        (folder / TIMES).write_bytes(orjson.dumps(times))
        sys.stdout.flush()
        # Its tables are of nobody: there is nothing to wait for.
        signal.raise_signal(signal.SIGKILL)

    signal.signal(STOP, stopped)
    worker.execute_from_commandline()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
