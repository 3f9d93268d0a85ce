"""Schedules about stores: away for long, a second back, emptied in part."""

import asyncio

from faults.clients.traffic import Amounts
from faults.installation.installation import Installation
from faults.schedules.schedule import Schedule
from faults.schedules.troubles import lose_a_marker, lose_a_state, lose_an_index

_LONG = 120.0
STEADY = Amounts(payments=40, seconds=30.0)


async def _away_at_a_start(installation: Installation) -> None:
    installation.servers.redis.go_away(_LONG)
    installation.servers.postgres.go_away(_LONG)
    await asyncio.sleep(_LONG)


async def _away_at_a_rebalance(installation: Installation) -> None:
    await asyncio.sleep(10.0)
    installation.servers.redis.go_away(_LONG)
    installation.servers.postgres.go_away(_LONG)
    for name in ("features-2", "readmodels-2"):
        installation.kill(name, down=20.0)
    await asyncio.sleep(_LONG)


async def _redis_a_second_back(installation: Installation) -> None:
    chance = installation.servers.loop.chance
    for _ in range(3):
        await asyncio.sleep(chance.uniform(4, 8))
        installation.servers.trouble.met["redis a second back"] += 1
        installation.servers.redis.crash(chance.uniform(0.05, 1.0))


async def _markers_lost(installation: Installation) -> None:
    for _ in range(4):
        await asyncio.sleep(installation.servers.loop.chance.uniform(3, 8))
        await lose_a_marker(installation)


async def _states_lost(installation: Installation) -> None:
    chance = installation.servers.loop.chance
    for _ in range(4):
        await asyncio.sleep(chance.uniform(3, 8))
        # One that comes back holds no state in memory.
        if chance.random() < 0.5:
            installation.kill(chance.choice(("features-1", "features-2")), down=1.0)
        for _ in range(chance.choice((1, 1, 5))):
            await chance.choice((lose_a_state, lose_a_state, lose_an_index))(installation)


SCHEDULES = (
    Schedule(
        "store-away-at-a-start",
        "Redis and PostgreSQL do not answer for 120 s while everything starts (fault 1)",
        _away_at_a_start,
        amounts=STEADY,
    ),
    Schedule(
        "store-away-at-a-rebalance",
        "Redis and PostgreSQL do not answer for 120 s while partitions change hands (fault 1)",
        _away_at_a_rebalance,
        amounts=STEADY,
    ),
    Schedule(
        "redis-a-second-back",
        "Redis crashes three times under traffic and lacks its last second each time (fault 2)",
        _redis_a_second_back,
        amounts=STEADY,
    ),
    Schedule(
        "markers-lost",
        "markers of single shards are deleted under traffic, two workers running (fault 9)",
        _markers_lost,
        amounts=STEADY,
    ),
    Schedule(
        "states-lost",
        "states, and the index of a shard, are deleted under markers that stay, as by eviction",
        _states_lost,
        amounts=STEADY,
    ),
)
