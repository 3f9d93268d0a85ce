"""Benchmark of online reads: exact features of ours, and a plain Feast read as wide.

    ./retrace up && python -m bench.online_read

Both read the same Redis, in turns, in this process. The plain read is Feast's own store with one
float per feature over the same entities.
"""

import asyncio
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench.machine import write
from domain.features import CATALOGUE, Entity, EntityState, FeatureEvent, entity_keys
from domain.features.entities import FIELDS
from domain.transactions import Transaction
from runtime.composition.features import generations_of, states_of
from runtime.composition.stores import open_feature_reader
from runtime.settings import load_settings
from runtime.settings.urls import redis_connection

CUSTOMERS, MERCHANTS, EVENTS, READS = 200, 50, 60, 3_000
PROJECT = "bench"
NOW = 1_700_000_000_000_000


async def nothing_yet() -> Sequence[int]:
    """The ends of a log that the stored states cover."""
    return []


def transaction(number: int) -> Transaction:
    chosen = random.Random(number)
    return Transaction(
        transaction_id=f"t{number}",
        timestamp=NOW + number * 60_000_000,
        amount=1 + chosen.randrange(50_000),
        currency="EUR",
        base_amount=1 + chosen.randrange(50_000),
        customer_id=f"c{chosen.randrange(CUSTOMERS)}",
        merchant_id=f"m{chosen.randrange(MERCHANTS)}",
    )


def ours() -> tuple[Callable[[Transaction], Any], Callable[[], None]]:
    settings = load_settings()
    generations = generations_of(settings, PROJECT)
    states = states_of(settings, PROJECT)
    states.adopt()
    held: dict[tuple[Entity, str], EntityState] = {}
    for number in range(CUSTOMERS * EVENTS):
        made = transaction(number)
        event = FeatureEvent(
            *("transaction", made.timestamp, number, made.timestamp, made.transaction_id),
            *(made.timestamp, made.base_amount),
            customer_id=made.customer_id,
            merchant_id=made.merchant_id,
        )
        for entity, key in entity_keys(event).items():
            held.setdefault((entity, key), EntityState(entity, key)).fold(0, number, event)
    every = list(held.values())
    for start in range(0, len(every), 500):
        states.save([(state, state.to_bytes()) for state in every[start : start + 500]])
    loop = asyncio.new_event_loop()
    closing = ExitStack()
    reader = closing.enter_context(open_feature_reader(settings, "bench", nothing_yet, PROJECT))

    def clear() -> None:
        number = generations.number()
        other = generations.begin(CATALOGUE, "none")
        generations.swap(number, other.number)
        generations.drop(number, force=True)
        closing.close()
        loop.close()

    return lambda asked: loop.run_until_complete(reader.read(asked)), clear


def plain(folder: Path) -> Callable[[Transaction], Any]:
    from feast import Entity as FeastEntity
    from feast import FeatureStore, FeatureView, Field, FileSource, RepoConfig
    from feast.infra.online_stores.redis import RedisOnlineStoreConfig
    from feast.types import Float64, String

    redis = RedisOnlineStoreConfig(connection_string=redis_connection(load_settings().redis_url))
    store = FeatureStore(
        config=RepoConfig(
            project="bench_plain",
            provider="local",
            registry=str(folder / "registry.db"),
            online_store=redis,
            entity_key_serialization_version=3,
        )
    )
    entities = {
        field: FeastEntity(name=field, join_keys=[field]) for field in ("payer_id", "merchant_id")
    }
    names: list[str] = []
    objects: list[Any] = list(entities.values())
    views: list[tuple[str, tuple[str, ...], list[str]]] = []
    for entity in (Entity.PAYER, Entity.MERCHANT, Entity.PAYER_MERCHANT):
        columns = [feature.name for feature in CATALOGUE.by_entity[entity]]
        # As many columns as the vector has: what other entities would fill is read here.
        if entity is Entity.PAYER:
            columns += [f.name for f in CATALOGUE.features if f.entity not in
                        (Entity.PAYER, Entity.MERCHANT, Entity.PAYER_MERCHANT)]  # fmt: skip
        fields = FIELDS[entity]
        source = FileSource(path=str(folder / f"{entity}.parquet"), timestamp_field="at")
        view = FeatureView(
            name=f"plain_{entity}",
            entities=[entities[field] for field in fields],
            schema=[Field(name=f, dtype=String) for f in fields]
            + [Field(name=c, dtype=Float64) for c in columns],
            source=source,
        )
        frame = _values(fields, columns)
        frame.to_parquet(folder / f"{entity}.parquet")
        objects.append(view)
        views.append((view.name, fields, columns))
        names += [f"{view.name}:{column}" for column in columns]
    store.apply(objects)
    for name, fields, columns in views:
        store.write_to_online_store(name, _values(fields, columns))
    return lambda asked: store.get_online_features(
        features=names,
        entity_rows=[{"payer_id": asked.customer_id, "merchant_id": asked.merchant_id}],
    ).to_dict()


def _values(fields: tuple[str, ...], columns: list[str]) -> pd.DataFrame:
    customers = [f"c{n}" for n in range(CUSTOMERS)]
    merchants = [f"m{n}" for n in range(MERCHANTS)]
    keys = {"payer_id": customers, "merchant_id": merchants}
    if len(fields) == 2:
        first, second = fields
        pairs = [(a, b) for a in keys[first] for b in keys[second]]
        frame = pd.DataFrame(pairs, columns=list(fields))
    else:
        frame = pd.DataFrame({fields[0]: keys[fields[0]]})
    chosen = np.random.default_rng(1)
    values = pd.DataFrame(chosen.random((len(frame), len(columns))), columns=columns)
    frame = pd.concat([frame, values], axis=1)
    frame["at"] = datetime.now(UTC)
    return frame


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        mine, clear = ours()
        theirs = plain(Path(folder))
        took: dict[str, list[float]] = {"exact": [], "plain": []}
        for number in range(READS):
            asked = transaction(CUSTOMERS * EVENTS + number)
            for name, read in (("exact", mine), ("plain", theirs)):
                began = time.perf_counter()
                read(asked)
                if number >= READS // 10:
                    took[name].append(1000 * (time.perf_counter() - began))
        clear()
    figures = {
        name: {"p50_ms": _quantile(times, 0.5), "p99_ms": _quantile(times, 0.99)}
        for name, times in took.items()
    }
    ratio = figures["exact"]["p99_ms"] / figures["plain"]["p99_ms"]
    write(
        "online_read",
        {"columns": len(CATALOGUE), "reads": len(took["exact"]), **figures,
         "p99_exact_over_plain": round(ratio, 3)},
    )  # fmt: skip


def _quantile(times: list[float], share: float) -> float:
    return round(float(np.quantile(times, share)), 3)


if __name__ == "__main__":
    main()
