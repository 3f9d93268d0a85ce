"""The features worker on real servers: states in Redis equal those computed from the log."""

import asyncio
import random
from collections.abc import Callable
from functools import partial

import redis

from domain.features import EntityState
from eventlog.adapters.kafka import KafkaEventLog
from eventlog.topics import ENTITIES, TRANSACTIONS
from projections.online.adapters.feast_states import FeastStateStore
from projections.online.port import Markers
from runtime.settings import Settings
from tests.builders.workers.history import Key, folded, lay_down, until
from tests.builders.workers.process import WorkerProcess

Start = Callable[..., WorkerProcess]


def caught_up(states: FeastStateStore, log: KafkaEventLog) -> bool:
    ends = asyncio.run(log.ends(TRANSACTIONS))
    covered = states.markers().covered(TRANSACTIONS.partitions, ENTITIES.partitions)
    return all(covered[source] >= end - 1 for source, end in enumerate(ends))


def moved_on(states: FeastStateStore, before: Markers) -> bool:
    return states.markers() != before


def assert_as_folded(states: FeastStateStore, log: KafkaEventLog) -> dict[Key, EntityState]:
    expected = folded(log)
    stored = states.read(list(expected)).states
    assert [s.to_bytes() for s in stored] == [s.to_bytes() for s in expected.values()]
    return expected


def test_states_equal_a_direct_fold_after_kills_at_random_moments(
    start: Start, states: FeastStateStore, log: KafkaEventLog
) -> None:
    chance = random.Random(5)
    lay_down(log, range(1500))
    worker = start("features")
    until(lambda: bool(states.markers().at), what="a first marker")
    for round_ in range(2):
        lay_down(log, range(1500 + round_ * 700, 2200 + round_ * 700))
        until(partial(moved_on, states, states.markers()), what="progress")
        until(lambda: chance.random() > 0.9)
        worker.kill()
        worker.start()
    until(lambda: caught_up(states, log), what="the end of the log")
    expected = assert_as_folded(states, log)
    total = sum(s.folded_transactions for s in expected.values() if s.entity.value == "card")
    assert total == 2900
    assert worker.stop() == 0


def test_a_lost_keyspace_is_rebuilt_in_place_from_the_log_and_flagged_meanwhile(
    start: Start, states: FeastStateStore, log: KafkaEventLog, settings: Settings
) -> None:
    lay_down(log, range(600))
    worker = start("features")
    until(lambda: caught_up(states, log), what="the end of the log")
    with redis.Redis.from_url(settings.redis_url) as client:
        client.flushdb()
    seen: set[bool] = set()

    def complete() -> bool:
        seen.add(bool(states.markers().rebuilding))
        return caught_up(states, log) and not states.markers().rebuilding

    until(complete, what="the rebuild")
    assert True in seen
    assert_as_folded(states, log)
    assert worker.stop() == 0


def test_a_redis_that_comes_back_older_is_gone_on_with_in_place(
    start: Start, states: FeastStateStore, log: KafkaEventLog, settings: Settings
) -> None:
    lay_down(log, range(400))
    worker = start("features")
    until(lambda: caught_up(states, log), what="the end of the log")
    with redis.Redis.from_url(settings.redis_url) as client:
        kept = [(key, client.dump(key)) for key in client.scan_iter()]
        for round_ in range(3):
            lay_down(log, range(400 + round_ * 200, 600 + round_ * 200))
            until(partial(moved_on, states, states.markers()), what="progress")
            with client.pipeline() as pipe:
                pipe.flushdb()
                for key, value in kept:
                    pipe.restore(key, 0, value)
                pipe.execute()
    until(lambda: caught_up(states, log), what="the end of the log")
    assert_as_folded(states, log)
    assert worker.stop() == 0


def test_a_single_marker_that_is_lost_is_made_again_by_two_workers(
    start: Start, states: FeastStateStore, log: KafkaEventLog, settings: Settings
) -> None:
    lay_down(log, range(400))
    workers = [start("features", f"features-{number}") for number in range(2)]
    half = (TRANSACTIONS.partitions + ENTITIES.partitions) // 2
    until(
        lambda: all(f"has {half} partitions" in each.log.read_text() for each in workers),
        what="an assignment of both",
    )
    until(lambda: caught_up(states, log), what="the end of the log")
    with redis.Redis.from_url(settings.redis_url) as client:
        for shard in (0, ENTITIES.partitions - 1):
            client.hdel("retrace:markers:retrace.g1", f"at:{shard}")
    lay_down(log, range(400, 500))
    until(lambda: caught_up(states, log), what="the end of the log")
    assert_as_folded(states, log)
    assert [worker.stop() for worker in workers] == [0, 0]
