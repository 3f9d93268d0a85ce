"""Schedules about the log: without a leader, recreated, and with history from before."""

import asyncio

from eventlog.topics import ENTITIES, TRANSACTIONS
from faults.clients.traffic import Amounts, Traffic
from faults.installation.installation import Installation
from faults.schedules.schedule import Schedule

# A look every five seconds, a server that answers late, and a second start that is refused.
_NOTICED_SECONDS = 15.0
_ANOTHER = "another log"
_STEADY = Amounts(payments=40, seconds=30.0)


async def _one_leader_away(installation: Installation) -> None:
    chance, cluster = installation.servers.loop.chance, installation.servers.cluster
    for _ in range(5):
        await asyncio.sleep(chance.uniform(2, 5))
        installation.servers.trouble.met["leader lost"] += 1
        number = chance.randrange(TRANSACTIONS.partitions)
        cluster.lead_again(chance.uniform(1, 6), TRANSACTIONS, number)
    # What is routed last of all cannot be sent at first.
    await asyncio.sleep(max(0.0, chance.uniform(25, 29) - installation.servers.loop.time()))
    for number in chance.sample(range(ENTITIES.partitions), 3):
        cluster.lead_again(chance.uniform(5, 9), ENTITIES, number)


async def _import_beside(installation: Installation) -> None:
    """The traffic itself holds the import. Whoever makes vectors anew may die meanwhile."""
    chance, trouble = installation.servers.loop.chance, installation.servers.trouble
    if chance.random() < 0.5:
        for _ in range(4):
            await asyncio.sleep(chance.uniform(6, 12))
            trouble.kill_after["offline-1"] = trouble.effects["offline-1"] + chance.randint(1, 6)
            installation.revive()


async def _import_at_last(traffic: Traffic) -> None:
    await traffic.import_at_last()


async def _power_lost(installation: Installation) -> None:
    chance = installation.servers.loop.chance
    for host in ("east", "west"):
        await asyncio.sleep(chance.uniform(6, 12))
        installation.servers.trouble.met["power lost"] += 1
        installation.lose_power(host, down=2.0)


async def _old_ids_again(traffic: Traffic) -> None:
    await traffic.everything_again()


async def _kafka_recreated(installation: Installation) -> None:
    """All that run notice it, none starts again, and an operator begins anew."""
    await asyncio.sleep(installation.servers.loop.chance.uniform(5, 15))
    installation.servers.trouble.met["kafka recreated"] += 1
    installation.servers.cluster.recreate()
    await asyncio.sleep(_NOTICED_SECONDS)
    ended = {each.partition(":")[0] for each in installation.ends if _ANOTHER in each}
    installation.findings += [
        f"{name} went on {_NOTICED_SECONDS:g} s after Kafka was recreated"
        for name in sorted({*installation.processes} - ended | {*installation.apis})
    ]
    installation.begin_anew()


async def _entities_expire(installation: Installation) -> None:
    """What was routed and not written yet is gone when the features workers come back."""
    chance, servers = installation.servers.loop.chance, installation.servers
    for _ in range(2):
        await asyncio.sleep(chance.uniform(4, 8))
        for name in ("features-1", "features-2"):
            installation.kill(name, down=5.0)
        await asyncio.sleep(chance.uniform(0, 4))
        servers.trouble.met["records expired"] += 1
        servers.cluster.expire(ENTITIES)
        await asyncio.sleep(5.0)


async def _no_fault(_installation: Installation) -> None:
    """What is sent is the difficulty."""


async def _used_again(traffic: Traffic) -> None:
    await traffic.after_the_horizon()


async def _labels_cross(traffic: Traffic) -> None:
    await traffic.labels_cross(["api-1", "api-2"])


SCHEDULES = (
    Schedule(
        "leader-away",
        "single partitions have no leader for 1 to 6 s (faults 3 and 8)",
        _one_leader_away,
        amounts=_STEADY,
    ),
    Schedule(
        "import-beside-traffic",
        "older history is imported, and a rehearsal, beside live traffic (fault 3)",
        _import_beside,
        amounts=Amounts(payments=40, seconds=30.0, imported=15, rehearsed=6),
        more=_import_at_last,
    ),
    Schedule(
        "power-loss",
        "each host loses power, then old ids are sent again (fault 4)",
        _power_lost,
        amounts=_STEADY,
        more=_old_ids_again,
    ),
    Schedule(
        "kafka-recreated",
        "Kafka comes back empty while stores and state folders are kept (fault 4)",
        _kafka_recreated,
        amounts=_STEADY,
    ),
    Schedule(
        "entities-expire",
        "routed records are deleted by retention before they are written",
        _entities_expire,
        amounts=_STEADY,
    ),
    Schedule(
        "labels-cross",
        "report, reversal, report by two hosts whose clocks are 3 s apart (fault 10)",
        _no_fault,
        amounts=Amounts(payments=20, seconds=15.0),
        skews={"east": 0.0, "west": 3.0},
        more=_labels_cross,
    ),
    Schedule(
        "id-used-again",
        "ids, their decisions and labels come again after the horizon (fault 10)",
        _no_fault,
        amounts=Amounts(payments=15, seconds=10.0),
        more=_used_again,
    ),
)
