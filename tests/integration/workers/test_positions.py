"""Positions of the projections are those of the live generation, also after a swap."""

from typing import Any

import psycopg

from domain.features import CATALOGUE, FeatureSet
from eventlog.topics import ENTITIES, TRANSACTIONS
from operations.monitoring.projection_lag import lags, read_positions
from projections.offline.port import projection_of
from projections.online.adapters.feast_repo import repo_config
from projections.online.adapters.feast_states import FeastStateStore
from projections.online.adapters.redis_generations import RedisGenerations
from projections.online.port import Marker, Move
from runtime.composition.positions import open_positions
from runtime.settings import Settings
from tests.builders.workers.history import until


def mark(states: FeastStateStore, last: int) -> None:
    """Every shard covers every source partition up to and with `last`."""
    covered = Marker(1, dict.fromkeys(range(TRANSACTIONS.partitions), last))
    states.save([], [Move(shard, None, covered) for shard in range(ENTITIES.partitions)])


def test_positions_follow_the_live_generation_through_a_swap_and_back(
    states: FeastStateStore, settings: Settings, database: psycopg.Connection[Any]
) -> None:
    generations = RedisGenerations(repo_config(settings))
    first, fewer = states.adopt(), FeatureSet(CATALOGUE.features[:40])
    second = generations.begin(fewer, "fewer features")
    mark(states, 9)
    mark(states.at(second), 4)
    for features, following in ((CATALOGUE, 10), (fewer, 5)):
        database.execute(
            "INSERT INTO projection_positions SELECT %s, %s, p, %s, 1, 0, 0, 0, now()"
            " FROM generate_series(0, %s) AS p",
            (projection_of(features), TRANSACTIONS.name, following, TRANSACTIONS.partitions - 1),
        )
    ends = [10] * TRANSACTIONS.partitions
    behind = 5 * TRANSACTIONS.partitions
    with open_positions(settings) as readers:

        def late() -> tuple[int, int]:
            found = lags(read_positions(readers), ends)
            return found["features"], found["offline"]

        assert late() == (0, 0)
        generations.swap(first.number, second.number)
        until(lambda: late() == (behind, behind), what="positions of the second generation")
        generations.swap(second.number, first.number)
        until(lambda: late() == (0, 0), what="positions of the first generation")
        everything = read_positions(readers)
        assert (everything["readmodels"], everything["evidence"]) == ({}, {})
