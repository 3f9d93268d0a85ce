"""Decisions of a backtest as Parquet: each policy's outcome and score for every transaction."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from domain.features.payments import UNLABELLED
from domain.policy.thresholds import SEVERITY
from operations.backtest.policies.deciding import Decisions
from operations.backtest.policies.past import Past
from operations.backtest.policies.run import PolicyBacktest

_ROW_GROUP = 100_000
_NAMES = pa.dictionary(pa.int16(), pa.string())
_TIME = pa.timestamp("us", tz="UTC")
SCHEMA = pa.schema(
    [
        pa.field("transaction_id", pa.string(), nullable=False),
        pa.field("event_timestamp", _TIME, nullable=False),
        pa.field("known_time", _TIME, nullable=False),
        pa.field("base_amount_minor", pa.int64(), nullable=False),
        pa.field("label", pa.int8()),
        pa.field("policy", _NAMES, nullable=False),
        pa.field("is_baseline", pa.bool_(), nullable=False),
        pa.field("score", pa.float64(), nullable=False),
        pa.field("outcome", _NAMES, nullable=False),
    ]
)
"""`label` is 1, 0 or null; `score` is the model's, before the points of rules."""


def write_decisions(made: PolicyBacktest, backtest_id: str, path: Path) -> None:
    """The baseline's, then each candidate's. Raises OSError."""
    schema = SCHEMA.with_metadata({"backtest": backtest_id})
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for number, each in enumerate((made.baseline, *made.candidates)):
            for start in range(0, len(made.past), _ROW_GROUP):
                some = slice(start, start + _ROW_GROUP)
                writer.write_table(_table(made.past, each, number == 0, some, schema))


def _table(
    past: Past, made: Decisions, is_baseline: bool, some: slice, schema: pa.Schema
) -> pa.Table:
    of = past.made
    labels, outcomes = of.labels[some], made.outcomes[some]
    number = len(outcomes)
    columns = [
        pa.array(of.transaction_ids[some], pa.string()),
        pa.array(of.times[some], pa.int64()).cast(_TIME),
        pa.array(of.known[some], pa.int64()).cast(_TIME),
        pa.array(of.payments.amounts[some], pa.int64()),
        pa.array(labels.astype(np.int8), pa.int8(), mask=labels == UNLABELLED),
        _named(np.zeros(number, dtype=np.int16), [made.name]),
        pa.repeat(is_baseline, number),
        pa.array(made.scores[some], pa.float64()),
        _named(outcomes.astype(np.int16), list(SEVERITY)),
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def _named(codes: np.ndarray, names: list[str]) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(codes, pa.int16()), pa.array(names))
