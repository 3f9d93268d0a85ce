"""Benchmark of training sets: ours, Feast's historical retrieval, Polars' windows.

    ./retrace up && python -m bench.datasets FILE.parquet --map transaction_id=ID ...

All three work on the same transactions in one run, one after the other, each in a process of its
own. Ours replays the log into all features. Polars computes those of them that it can express as
rolling windows over time: counts, sums, means, deviations, least and greatest per customer and
merchant, without labels, ties or tiles. Feast retrieves vectors that exist already, by transaction
id, out of PostgreSQL; what it took to make them is not counted.
"""

import io
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from bench.archived_file import archive
from bench.machine import peak_gib, write

WINDOWS = ("1d", "7d", "30d")


def main(
    file: Path,
    mapping: Annotated[list[str], typer.Option("--map", metavar="FIELD=COLUMN")],
    label: Annotated[str, typer.Option(metavar="COLUMN")],
    step: Annotated[str, typer.Option(hidden=True)] = "",
    folder: Annotated[Path, typer.Option(hidden=True)] = Path(),
) -> None:
    columns = dict(each.split("=", 1) for each in mapping)
    steps = {"ours": _ours, "feast": _feast, "polars": _polars}
    if step:
        print(json.dumps({**steps[step](file, columns, label, folder), "peak_gib": peak_gib()}))  # noqa: T201
        return
    with tempfile.TemporaryDirectory() as made:
        # As `retrace ingest` and the archive worker would leave it.
        archive(file, columns, label, made)
        arguments = [sys.executable, "-m", "bench.datasets", str(file), "--label", label]
        arguments += [part for each in mapping for part in ("--map", each)]
        found: dict[str, Any] = {}
        for name in steps:
            own = [*arguments, "--step", name, "--folder", made]
            done = subprocess.run(own, check=True, capture_output=True, text=True)
            found[name] = json.loads(done.stdout.splitlines()[-1])
    write("datasets", found)


def _read(file: Path, columns: dict[str, str], label: str) -> Any:
    import pyarrow.parquet as pq

    return pq.read_table(file, columns=sorted({*columns.values(), label}))


def _ours(_file: Path, _columns: dict[str, str], _label: str, folder: Path) -> dict[str, Any]:
    from domain.features import CATALOGUE
    from domain.features.engine import warm_up
    from eventlog.archive.folder import ArchiveFolder, positions
    from eventlog.archive.history import History
    from eventlog.in_memory import InMemoryEventLog
    from eventlog.topics import TRANSACTIONS
    from projections.replay.dataset import dataset, write

    warm_up(CATALOGUE)
    began = time.perf_counter()
    source = ArchiveFolder(str(folder), TRANSACTIONS)
    reached = positions(source.pieces())
    ends = [reached.get(partition, 0) for partition in range(TRANSACTIONS.partitions)]
    events = History(InMemoryEventLog(), source, ends).events()
    made = dataset(events, CATALOGUE, as_known_at=2**62)
    write(made, folder / "ours.parquet")
    return _figures(len(made), len(CATALOGUE), time.perf_counter() - began)


def _polars(file: Path, columns: dict[str, str], label: str, folder: Path) -> dict[str, Any]:
    import polars as pl

    frame = pl.from_arrow(_read(file, columns, label))
    assert isinstance(frame, pl.DataFrame)
    began = time.perf_counter()
    at, amount = columns["timestamp"], pl.col(columns["amount"]).cast(pl.Float64)
    frame = frame.with_columns(pl.col(at).cast(pl.Datetime("us")), amount).sort(at)
    made = []
    for who in ("customer_id", "merchant_id"):
        for window in WINDOWS:
            kinds = {
                "count": pl.repeat(1.0, pl.len()).rolling_sum_by(at, window, closed="left"),
                "sum": amount.rolling_sum_by(at, window, closed="left"),
                "mean": amount.rolling_mean_by(at, window, closed="left"),
                "std": amount.rolling_std_by(at, window, closed="left"),
                "min": amount.rolling_min_by(at, window, closed="left"),
                "max": amount.rolling_max_by(at, window, closed="left"),
            }
            made += [
                each.over(columns[who]).alias(f"{who}_{kind}_{window}")
                for kind, each in kinds.items()
            ]
    result = frame.with_columns(made)
    result.write_parquet(folder / "polars.parquet")
    return _figures(len(result), len(made), time.perf_counter() - began)


def _feast(_file: Path, _columns: dict[str, str], _label: str, folder: Path) -> dict[str, Any]:
    """Its PostgreSQL store joins an entity frame to a table of vectors: ours, of this very file."""
    import psycopg
    import pyarrow.parquet as pq
    from feast import Entity, FeatureStore, FeatureView, Field
    from feast.infra.offline_stores.contrib.postgres_offline_store.postgres_source import (
        PostgreSQLSource,
    )
    from feast.types import Float64, String
    from feast.value_type import ValueType
    from pyarrow import csv

    from domain.features import CATALOGUE
    from runtime.composition.features import feast_config
    from runtime.settings import load_settings

    settings = load_settings()
    table = pq.read_table(folder / "ours.parquet").select(
        ["transaction_id", "event_timestamp", *CATALOGUE.names]
    )
    names = ", ".join(f'"{name}" double precision' for name in CATALOGUE.names)
    with psycopg.connect(settings.database_url.replace("+psycopg", "", 1)) as connection:
        connection.execute("DROP TABLE IF EXISTS bench_vectors")
        connection.execute(
            "CREATE TABLE bench_vectors (transaction_id text PRIMARY KEY, event_timestamp"
            f" timestamptz, {names})"
        )
        with (
            connection.cursor() as cursor,
            cursor.copy("COPY bench_vectors FROM STDIN (FORMAT csv)") as copy,
        ):
            for batch in table.to_batches(50_000):
                piece = io.BytesIO()
                csv.write_csv(batch, piece, csv.WriteOptions(include_header=False))
                copy.write(piece.getvalue())
        connection.execute("ANALYZE bench_vectors")
    del table
    config = feast_config(settings, "bench_datasets")
    config.registry.path = str(folder / "registry.db")
    store = FeatureStore(config=config)
    entity = Entity(name="transaction", join_keys=["transaction_id"], value_type=ValueType.STRING)
    view = FeatureView(
        name="bench_vectors",
        entities=[entity],
        schema=[
            Field(name="transaction_id", dtype=String),
            *(Field(name=name, dtype=Float64) for name in CATALOGUE.names),
        ],
        source=PostgreSQLSource(
            name="bench_vectors", table="bench_vectors", timestamp_field="event_timestamp"
        ),
        online=False,
    )
    store.apply([entity, view])
    began = time.perf_counter()
    retrieved = store.get_historical_features(
        entity_df="SELECT transaction_id, event_timestamp FROM bench_vectors",
        features=[f"bench_vectors:{name}" for name in CATALOGUE.names],
    ).to_arrow()
    pq.write_table(retrieved, folder / "feast.parquet")
    seconds = time.perf_counter() - began
    with psycopg.connect(settings.database_url.replace("+psycopg", "", 1)) as connection:
        connection.execute("DROP TABLE bench_vectors")
    return _figures(len(retrieved), len(CATALOGUE), seconds)


def _figures(rows: int, features: int, seconds: float) -> dict[str, Any]:
    return {
        "rows": rows,
        "features": features,
        "seconds": round(seconds, 2),
        "rows_per_second": round(rows / seconds),
        "values_per_second": round(rows * features / seconds),
    }


if __name__ == "__main__":
    typer.run(main)
