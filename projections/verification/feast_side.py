"""Vectors as Feast's historical retrieval returns them for training."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from domain.features import FeatureSet
from domain.features.kernel.arrays import Floats, Ints
from domain.times import to_datetime
from projections.verification.postgres_side import digests

_QUERY = (
    "SELECT transaction_id, event_timestamp FROM feature_vectors"
    " WHERE feature_set = '{feature_set}'"
    " AND event_timestamp >= '{begin}' AND event_timestamp < '{end}'"
)


def retrieved_vectors(
    store: Any, features: FeatureSet, times: Ints, at_once: int
) -> Iterator[tuple[Ints, Floats]]:
    """(digests of transaction ids, vectors) by `get_historical_features`, asked by transaction id.

    `times` are the event times of the transactions, in microseconds; about `at_once` of them are
    asked for in one call.
    """
    if not len(times):
        return
    service = store.get_feature_service("training")
    pieces = max(len(times) // at_once, 1)
    edges = np.unique(np.quantile(times, np.linspace(0, 1, pieces + 1), method="lower"))
    bounds = [*edges.tolist()[:-1], int(times.max()) + 1]
    for begin, end in pairwise(bounds):
        asked = _QUERY.format(
            feature_set=features.hash,
            begin=to_datetime(begin).isoformat(),
            end=to_datetime(end).isoformat(),
        )
        table = store.get_historical_features(entity_df=asked, features=service).to_arrow()
        columns = [
            table[name].to_numpy(zero_copy_only=False).astype(np.float64) for name in features.names
        ]
        values = np.column_stack(columns) if len(table) else np.zeros((0, len(features)))
        yield digests(table["transaction_id"].to_pylist()), values
