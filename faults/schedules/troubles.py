"""Troubles of a second or a minute, each by the seed; schedules are made of them."""

import asyncio
from collections.abc import Awaitable, Callable

from eventlog.topics import BACKTESTS, TOPICS, TRANSACTIONS
from faults.installation.installation import Installation

_PLAYED = tuple(topic for topic in TOPICS if topic is not BACKTESTS)
"""Nothing of the installation reads or writes backtests."""

Trouble = Callable[[Installation], Awaitable[None]]


async def kill_one(installation: Installation) -> None:
    """SIGKILL of any process, which comes back after a moment or half a minute."""
    chance = installation.servers.loop.chance
    if running := installation.running():
        installation.servers.trouble.met["killed"] += 1
        installation.kill(chance.choice(running), chance.choice((0.2, 3.0, 15.0)))


async def kill_after_effect(installation: Installation) -> None:
    """A process dies right after one of its next effects on a server."""
    servers = installation.servers
    if running := installation.running():
        name = servers.loop.chance.choice(running)
        done = servers.trouble.effects[name]
        servers.trouble.kill_after[name] = done + servers.loop.chance.randint(1, 6)


async def pause_one(installation: Installation) -> None:
    """SIGSTOP for less or longer than a session."""
    chance = installation.servers.loop.chance
    if running := installation.running():
        installation.servers.trouble.met["paused"] += 1
        installation.pause(chance.choice(running), chance.choice((1.0, 5.0, 14.0, 25.0)))


async def lose_a_leader(installation: Installation) -> None:
    chance, cluster = installation.servers.loop.chance, installation.servers.cluster
    topic = chance.choice((TRANSACTIONS, TRANSACTIONS, *_PLAYED))
    cluster.lead_again(chance.uniform(1, 6), topic, chance.randrange(topic.partitions))
    installation.servers.trouble.met["leader lost"] += 1


async def kafka_away(installation: Installation) -> None:
    installation.servers.trouble.met["kafka away"] += 1
    installation.servers.cluster.go_away(installation.servers.loop.chance.uniform(1, 15))


async def redis_away(installation: Installation) -> None:
    installation.servers.redis.go_away(installation.servers.loop.chance.uniform(0.5, 15))


async def redis_back(installation: Installation) -> None:
    """Redis crashes, and comes back without the last second."""
    installation.servers.trouble.met["redis a second back"] += 1
    installation.servers.redis.crash(installation.servers.loop.chance.uniform(0.1, 5))


async def postgres_away(installation: Installation) -> None:
    installation.servers.postgres.go_away(installation.servers.loop.chance.uniform(0.5, 15))


async def receiver_away(installation: Installation) -> None:
    installation.servers.trouble.met["receiver away"] += 1
    installation.servers.receiver.go_away(installation.servers.loop.chance.uniform(1, 20))


async def answers_lost(installation: Installation) -> None:
    """A share of all answers is lost for a while, and everything is slow."""
    trouble = installation.servers.trouble
    trouble.lost_answers, trouble.slowness = 0.1, trouble.chance.choice((1.0, 10.0, 40.0))
    await asyncio.sleep(trouble.chance.uniform(1, 5))
    trouble.lost_answers, trouble.slowness = 0.0, 1.0


async def outage_with_kills(installation: Installation) -> None:
    """A server is away or answers badly, and processes die meanwhile."""
    chance = installation.servers.loop.chance
    outages = kafka_away, lose_a_leader, lose_a_leader, redis_away, redis_back, postgres_away
    await chance.choice((*outages, receiver_away, answers_lost))(installation)
    for _ in range(chance.randint(1, 3)):
        await asyncio.sleep(chance.uniform(0, 3))
        await chance.choice((kill_one, kill_after_effect, pause_one))(installation)
        installation.revive()


async def lose_a_state(installation: Installation) -> None:
    holds, chance = installation.servers.redis.holds, installation.servers.loop.chance
    if holds.states:
        installation.servers.trouble.met["state lost"] += 1
        del holds.states[chance.choice(sorted(holds.states))]


async def lose_a_marker(installation: Installation) -> None:
    holds, chance = installation.servers.redis.holds, installation.servers.loop.chance
    if holds.markers:
        installation.servers.trouble.met["marker lost"] += 1
        del holds.markers[chance.choice(sorted(holds.markers))]


async def lose_an_index(installation: Installation) -> None:
    holds, chance = installation.servers.redis.holds, installation.servers.loop.chance
    if holds.begun:
        installation.servers.trouble.met["index lost"] += 1
        del holds.begun[chance.choice(sorted(holds.begun))]
