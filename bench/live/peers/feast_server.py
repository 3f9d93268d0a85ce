"""Peer: Feast's own feature server over Redis, reading as many columns as the features have.

It folds nothing: another process would have to. So its time is that of reading ready values, as a
decision would wait for them. Arrivals are an open loop.
"""

import asyncio
import itertools
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import orjson
import pandas as pd
import psutil

from bench.live.costs import milliseconds_each, processor_seconds
from bench.live.load import Generator, offer
from bench.live.peers.events import Feed
from domain.features import CATALOGUE, Entity
from host.ports import free_ports
from host.processes import wait_until
from local.stack.errors import StackError
from local.stack.probes import http_answers
from runtime.settings import Settings
from runtime.settings.urls import redis_connection

_START_SECONDS, _HOST = 120.0, "127.0.0.1"
_COMMAND = "from feast.cli.cli import cli; cli()"


def feast_server(settings: Settings, feed: Feed) -> dict[str, Any]:
    """Milliseconds of POST /get-online-features, and what it costs. Raises StackError."""
    with tempfile.TemporaryDirectory() as name:
        asked = _filled(Path(name), settings, feed)
        with _served(Path(name), settings) as (url, process):
            before, spent = processor_seconds(settings), _seconds(process)
            generator = Generator([url], "/get-online-features", _bodies(asked, feed))
            offered = offer(generator, feed.rate, feed.seconds, Random(feed.seed), feed.warm_up)
            after, taken = processor_seconds(settings), _seconds(process) - spent
    count = max(1, round(offered.requests * (1 + feed.warm_up / feed.seconds)))
    return {
        **offered.facts(),
        "columns": len(asked),
        "processor_ms_each": round(taken / count * 1e3, 3),
        "servers_ms_each": milliseconds_each(before, after, count),
    }


def _bodies(asked: list[str], feed: Feed) -> Iterator[bytes]:
    for event in itertools.cycle(feed.events):
        entities = {"payer": [event.payer], "merchant": [event.merchant]}
        yield orjson.dumps({"features": asked, "entities": entities})


def _filled(folder: Path, settings: Settings, feed: Feed) -> list[str]:
    """Two views, of payers and of merchants, together as wide as the features; their names."""
    from feast import Entity as FeastEntity
    from feast import FeatureStore, FeatureView, Field, FileSource, ValueType
    from feast.types import Float64, String

    (folder / "feature_store.yaml").write_text(
        "project: bench_server\nprovider: local\nregistry: registry.db\n"
        "entity_key_serialization_version: 3\nonline_store:\n  type: redis\n"
        f'  connection_string: "{redis_connection(settings.redis_url)}"\n'
    )
    store, asked = FeatureStore(repo_path=str(folder)), list[str]()
    of_merchants = [feature.name for feature in CATALOGUE.by_entity[Entity.MERCHANT]]
    of_payers = [name for name in CATALOGUE.names if name not in of_merchants]
    events = [*feed.history, *feed.events]
    for key, columns in (("payer", of_payers), ("merchant", of_merchants)):
        keys = sorted({getattr(event, key) for event in events})
        random = np.random.default_rng(feed.seed).random((len(keys), len(columns)))
        frame = pd.DataFrame(random, columns=pd.Index(columns))
        frame[key], frame["at"] = keys, datetime.now(UTC)
        file = folder / f"{key}.parquet"
        frame.to_parquet(file)
        entity = FeastEntity(name=key, join_keys=[key], value_type=ValueType.STRING)
        view = FeatureView(
            name=f"{key}_values",
            entities=[entity],
            schema=[Field(name=key, dtype=String)]
            + [Field(name=column, dtype=Float64) for column in columns],
            source=FileSource(path=str(file), timestamp_field="at"),
        )
        store.apply([entity, view])
        store.write_to_online_store(view.name, frame)
        asked += [f"{view.name}:{column}" for column in columns]
    return asked


@contextmanager
def _served(folder: Path, settings: Settings) -> Iterator[tuple[str, psutil.Process]]:
    (port,) = free_ports(1)
    # It would end its worker after a thousand requests.
    options = ["--port", str(port), "--no-access-log", "--max-requests", "0"]
    command = [sys.executable, "-c", _COMMAND, "--chdir", str(folder), "serve", *options]
    # Its server keeps a socket under the home folder.
    environment = {**os.environ, "HOME": str(folder)}
    with (
        (settings.state_dir / "logs" / "peer-feast_server.log").open("ab") as log,
        subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log) as process,
    ):
        try:
            if not wait_until(
                lambda: asyncio.run(http_answers(_HOST, port, "/health")), _START_SECONDS
            ):
                raise StackError(f"Feast's feature server does not start: see {log.name}")
            yield f"http://{_HOST}:{port}", psutil.Process(process.pid)
        finally:
            process.terminate()


def _seconds(process: psutil.Process) -> float:
    """Of the server and its worker."""
    members = [process, *process.children(recursive=True)]
    return float(sum(sum(each.cpu_times()[:2]) for each in members))
