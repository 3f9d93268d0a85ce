"""Mixed troubles: several of all kinds, one upon the other, while traffic runs."""

import asyncio

from faults.clients.traffic import Amounts
from faults.installation.installation import Installation
from faults.schedules import troubles
from faults.schedules.schedule import Schedule

_ANY: tuple[troubles.Trouble, ...] = (
    troubles.kill_one,
    troubles.kill_one,
    troubles.kill_after_effect,
    troubles.kill_after_effect,
    troubles.pause_one,
    troubles.lose_a_leader,
    troubles.kafka_away,
    troubles.redis_away,
    troubles.redis_back,
    troubles.postgres_away,
    troubles.receiver_away,
    troubles.answers_lost,
)


async def _calm(_installation: Installation) -> None:
    """Nothing happens but what happens every day."""


async def _mixed(installation: Installation) -> None:
    chance = installation.servers.loop.chance
    for _ in range(chance.randint(2, 7)):
        await asyncio.sleep(chance.uniform(0, 6))
        await chance.choice(_ANY)(installation)
        installation.revive()


async def _outages_with_kills(installation: Installation) -> None:
    for _ in range(5):
        await asyncio.sleep(installation.servers.loop.chance.uniform(1, 5))
        await troubles.outage_with_kills(installation)


async def _few(installation: Installation) -> None:
    chance = installation.servers.loop.chance
    for _ in range(3):
        await asyncio.sleep(chance.uniform(1, 6))
        await chance.choice(_ANY)(installation)
        installation.revive()


async def _slow_redis(installation: Installation) -> None:
    installation.servers.redis.slowness, installation.servers.trouble.late = 30.0, 0.4


CALM = Schedule("calm", "traffic, and no fault at all", _calm)
MIXED = Schedule("mixed", "kills, pauses, outages, lost answers, one upon the other", _mixed)
OUTAGES = Schedule(
    "outages-with-kills",
    "servers go away one after the other, and processes die or stand still meanwhile",
    _outages_with_kills,
)
THICK = Schedule(
    "thick-traffic",
    "ten payments a second of three cards, half of them at one merchant, and some troubles",
    _few,
    amounts=Amounts(payments=80, seconds=8.0, cards=3, merchants=2, hot=0.5),
)
SLOW = Schedule(
    "slow-redis",
    "Redis takes thirty times as long, what is fetched is late, and payments follow on answers",
    _slow_redis,
    amounts=Amounts(payments=80, seconds=8.0, merchants=2, followed=0.6),
)
SCHEDULES = CALM, MIXED, OUTAGES, THICK, SLOW
