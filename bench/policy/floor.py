"""Plain Polars: rolling windows of a file of payments, the floor of what features can take.

What of the catalogue Polars says in one expression over a file sorted by time, with the windows of
the catalogue: counts, sums, means, deviations, least and greatest amounts, what an amount is beside
them, quantiles and hours since the last, by card, payer, merchant and both. It knows no labels, no
tiles, no late events, no ids seen before, and its windows are those of one file in memory.
"""

import os
import tempfile
from pathlib import Path
from typing import Any

from bench.machine import spent
from domain.features import CATALOGUE, Entity
from domain.features.declarations.feature import Aggregation, Feature

_FIELDS = {
    Entity.CARD: ("card_id",),
    Entity.PAYER: ("customer_id",),
    Entity.MERCHANT: ("merchant_id",),
    Entity.PAYER_MERCHANT: ("customer_id", "merchant_id"),
}


def floor(file: Path, columns: dict[str, str], threads: int) -> dict[str, Any]:
    """Of a process of its own: Polars takes as many threads as it is told before it is imported."""
    os.environ["POLARS_MAX_THREADS"] = str(threads)
    import polars as pl

    names = {columns[field] for field in ("timestamp", "amount", *_ids(columns))}
    with tempfile.TemporaryDirectory() as made, spent() as found:
        result = windows(pl.read_parquet(file, columns=sorted(names)), columns)
        result.write_parquet(Path(made) / "features.parquet", compression="uncompressed")
    features, rows = result.width, result.height
    return {
        "features": features,
        "transactions": rows,
        **found.told(),
        "per_second": round(rows / found.wall_s),
        "values_per_processor_second": round(rows * features / found.processor_s),
    }


def windows(frame: Any, columns: dict[str, str]) -> Any:
    """A column for each feature, named like it, of payments by time; null or NaN is unknown.

    `frame` is a polars.DataFrame with `columns` by field: its own payment is in no window, nor is
    any other of its microsecond.
    """
    import polars as pl

    at, amount = columns["timestamp"], columns["amount"]
    frame = frame.with_columns(
        pl.col(at).cast(pl.Datetime("us")), pl.col(amount).cast(pl.Float64)
    ).sort(at, maintain_order=True)
    made = []
    for feature in CATALOGUE.features:
        keys = _FIELDS.get(feature.entity) if feature.entity else None
        if keys is None or feature.filter is not None or not set(keys) <= set(columns):
            continue
        told = _expression(feature, at, amount)
        if told is not None:
            made.append(told.over([columns[key] for key in keys]).alias(feature.name))
    return frame.select(made)


def _ids(columns: dict[str, str]) -> list[str]:
    return [name for name in ("card_id", "customer_id", "merchant_id") if name in columns]


def _expression(feature: Feature, at: str, amount: str) -> Any:
    """None for what plain Polars does not say in one expression."""
    import polars as pl

    window = feature.baseline or feature.window
    if window is None:
        return None
    paid = pl.col(amount)
    span: dict[str, Any] = {"by": at, "window_size": window.name, "closed": "left"}
    since = pl.col(at) - pl.col(at).shift(1)
    count = pl.repeat(1.0, pl.len()).rolling_sum_by(**span)
    mean, deviation = paid.rolling_mean_by(**span), paid.rolling_std_by(**span)
    made = {
        Aggregation.COUNT: count,
        Aggregation.SUM: paid.rolling_sum_by(**span),
        Aggregation.MEAN: mean,
        Aggregation.STD: deviation,
        Aggregation.MIN: paid.rolling_min_by(**span),
        Aggregation.MAX: paid.rolling_max_by(**span),
        Aggregation.RATIO_TO_MEAN: paid / mean,
        Aggregation.RATIO_TO_MAX: paid / paid.rolling_max_by(**span),
        Aggregation.Z_SCORE: (paid - mean) / deviation,
        Aggregation.SINCE_LAST: pl.when(since.dt.total_microseconds() <= window.span).then(
            since.dt.total_seconds() / 3_600
        ),
    }
    if feature.aggregation is Aggregation.RATIO_TO_QUANTILE and feature.quantile is not None:
        rank = feature.quantile / 1_000
        return paid / paid.rolling_quantile_by(**span, quantile=rank, interpolation="higher")
    return made.get(feature.aggregation)
