"""Schedules about stores: away for long, a second back, emptied in part."""

import asyncio

from eventlog.topics import TRANSACTIONS
from faults.clients.traffic import Amounts
from faults.installation.installation import Installation
from faults.schedules.schedule import USUAL, Schedule
from faults.schedules.troubles import lose_a_marker, lose_a_state, lose_an_index

_LONG = 120.0
# A crash, and another one that is noticed at the write after it.
_STILL_SECONDS = 12.0
STEADY = Amounts(payments=40, seconds=30.0)


async def _away_at_a_start(installation: Installation) -> None:
    installation.servers.redis.go_away(_LONG)
    installation.servers.postgres.go_away(_LONG)
    await asyncio.sleep(_LONG)


async def _away_at_a_rebalance(installation: Installation) -> None:
    await asyncio.sleep(10.0)
    installation.servers.redis.go_away(_LONG)
    installation.servers.postgres.go_away(_LONG)
    installation.kill("features-2", down=20.0)
    # Two leave for good: who is left has not been assigned its half when the rest is its own too.
    installation.kill("readmodels-3", down=None)
    await asyncio.sleep(25.0)
    installation.kill("readmodels-2", down=None)
    await asyncio.sleep(_LONG - 25.0)


async def _redis_a_second_back(installation: Installation) -> None:
    chance, trouble = installation.servers.loop.chance, installation.servers.trouble
    installation.servers.redis.slowness = chance.choice((1.0, 30.0))
    # Two who begin together may both have claimed a shard: one of them waits that long.
    await asyncio.sleep(17.0)
    for _ in range(3):
        await asyncio.sleep(chance.uniform(2, 6))
        trouble.met["redis a second back"] += 1
        installation.servers.redis.crash(chance.uniform(0.05, 1.0))
        await _go_on(installation)


async def _go_on(installation: Installation) -> None:
    """States that stand still do not count as lost: readers fold the log. But not for long."""
    servers = installation.servers
    began, partitions = servers.loop.time(), servers.cluster.partitions(TRANSACTIONS)
    ends = [each.end for each in partitions]
    while servers.loop.time() < began + _STILL_SECONDS:
        await asyncio.sleep(0.5)
        installation.revive()
        covered = servers.redis.holds.markers.values()
        if all(each.covers(p) + 1 >= end for each in covered for p, end in enumerate(ends)):
            return
    installation.findings.append(f"states stood still for {_STILL_SECONDS:g} s")


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


async def _host_cut_off(installation: Installation) -> None:
    chance = installation.servers.loop.chance
    for _ in range(4):
        await asyncio.sleep(chance.uniform(1, 4))
        host = chance.choice(("east", "west"))
        seconds = chance.choice((0.4, 1.5, 5.0))
        installation.servers.redis.cut_off(host, seconds)
        await asyncio.sleep(chance.uniform(0, seconds))
        if chance.random() < 0.5:
            # What it could not tell is told by nobody.
            installation.kill("api-1" if host == "east" else "api-2", down=0.5)
        await asyncio.sleep(seconds)


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
        layout=dict(USUAL) | {"readmodels-3": "east"},
        amounts=STEADY,
    ),
    Schedule(
        "redis-a-second-back",
        "Redis crashes three times under traffic and lacks its last second each time (fault 2)",
        _redis_a_second_back,
        amounts=Amounts(payments=45, seconds=40.0),
    ),
    Schedule(
        "host-cut-off-from-redis",
        "one of two hosts does not reach Redis for a while, and one of its processes is killed",
        _host_cut_off,
        amounts=Amounts(payments=200, seconds=20.0, cards=2, followed=0.6),
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
