"""Schedules about owners: partitions that change hands while the old owner is at work."""

import asyncio
from collections.abc import Sequence

from faults.clients.traffic import Amounts
from faults.installation.installation import Installation
from faults.schedules.schedule import USUAL, Faults, Schedule
from faults.servers.postgres import ANEW

_MOVING = Amounts(payments=40, seconds=40.0)


async def _old_owner_writes(installation: Installation) -> None:
    """Each features worker in turn stands still in the midst of writes, past its session."""
    chance, trouble = installation.servers.loop.chance, installation.servers.trouble
    for name in ("features-1", "features-2"):
        await asyncio.sleep(chance.uniform(3, 8))
        trouble.met["paused"] += 1
        installation.pause(name, chance.uniform(11, 16))
        await asyncio.sleep(17)


def _dying(names: Sequence[str], lost: float = 0.0) -> Faults:
    """One of `names` dies after one of its next effects, again and again, while a share of all
    answers is lost."""

    async def faults(installation: Installation) -> None:
        trouble = installation.servers.trouble
        trouble.lost_answers = lost
        for after in range(1, 9):
            name = trouble.chance.choice(names)
            if installation.processes[name].alive:
                trouble.kill_after[name] = trouble.effects[name] + after
            await asyncio.sleep(trouble.chance.uniform(2, 5))
            installation.revive()
        trouble.lost_answers = 0.0

    return faults


async def _agents_die(installation: Installation) -> None:
    """Alerts are outstanding all the while."""
    for seconds in (3.0, 6.0):
        installation.servers.receiver.go_away(seconds)
        await _dying(("decisions-1",), lost=0.05)(installation)


async def _deciders_die(installation: Installation) -> None:
    """An API dies with one of its next effects, and soon after it the agents."""
    trouble = installation.servers.trouble
    for _ in range(10):
        api = trouble.chance.choice(("api-1", "api-2"))
        trouble.kill_after[api] = trouble.effects[api] + trouble.chance.randint(1, 4)
        # Its memory of ids alone is written several times a second.
        await asyncio.sleep(trouble.chance.uniform(0.5, 2.5))
        trouble.met["killed"] += 1
        installation.kill("decisions-1", down=1.0)
        installation.revive()


async def _features_stopped(installation: Installation) -> None:
    """Who comes back reads all at once, one partition sooner than another: no record is late."""
    await asyncio.sleep(3)
    for name in ("features-1", "features-2", "offline-1"):
        installation.kill(name, down=60.0)
    await asyncio.sleep(90.0)
    if anew := installation.servers.trouble.met[ANEW]:
        installation.findings.append(f"{anew} vectors were made anew, and no record came late")


async def _agents_come_and_go(installation: Installation) -> None:
    """One agent, then four on disks of their own, then one again, with alerts outstanding."""
    await asyncio.sleep(45)
    installation.servers.receiver.go_away(25.0)
    for number in (2, 3, 4):
        installation.begin(f"decisions-{number}")
    await asyncio.sleep(20)
    for number in (1, 2, 3):
        installation.kill(f"decisions-{number}", down=None)
    await asyncio.sleep(15)


async def _agents_share(installation: Installation) -> None:
    """Two agents, three, others: each stands still past its session once, and goes on with what it
    had. No API is there for a while: the inbox is decided all the same."""
    chance, trouble = installation.servers.loop.chance, installation.servers.trouble
    for name, after in (("decisions-2", "decisions-1"), ("decisions-3", "decisions-2")):
        await asyncio.sleep(chance.uniform(3, 6))
        installation.begin(name)
        await asyncio.sleep(chance.uniform(0, 3))
        trouble.met["paused"] += 1
        installation.pause(after, chance.uniform(10, 15))
        await asyncio.sleep(chance.uniform(2, 14))
    for name in ("api-1", "api-2"):
        installation.kill(name, down=chance.uniform(5, 15))
    installation.kill("decisions-3", down=chance.choice((0.5, 15.0)))
    await asyncio.sleep(chance.uniform(0, 12))
    installation.kill("decisions-1", down=None)
    await asyncio.sleep(15)


async def _apis_come_and_go(installation: Installation) -> None:
    """Two APIs, then four, then others than before; each stands still past its session once, and
    goes on with what it owned."""
    chance, trouble = installation.servers.loop.chance, installation.servers.trouble
    for name in ("api-3", "api-4"):
        await asyncio.sleep(chance.uniform(2, 5))
        installation.begin(name)
    for name in ("api-1", "api-3", "api-2"):
        await asyncio.sleep(chance.uniform(1, 4))
        trouble.met["paused"] += 1
        installation.pause(name, chance.uniform(10, 15))
        await asyncio.sleep(chance.uniform(8, 16))
    for name in ("api-1", "api-4"):
        installation.kill(name, down=None)
        await asyncio.sleep(chance.uniform(0, 12))
    installation.begin("api-1")
    await asyncio.sleep(12)


SCHEDULES = (
    Schedule(
        "old-owner-writes",
        "a features worker stands still past its session and then goes on (fault 2)",
        _old_owner_writes,
        amounts=_MOVING,
    ),
    Schedule(
        "between-states-and-marker",
        "a features worker dies between any two of its writes (fault 2)",
        _dying(("features-1", "features-2")),
        amounts=_MOVING,
    ),
    Schedule(
        "agents-die",
        "agents die between any two of their effects, answers are lost and alerts outstanding",
        _agents_die,
        amounts=_MOVING,
    ),
    Schedule(
        "apis-and-read-models-die",
        "APIs, read models and offline vectors die between any two of their effects",
        _dying(("api-1", "api-2", "offline-1", "readmodels-1", "readmodels-2"), lost=0.05),
        amounts=_MOVING,
    ),
    Schedule(
        "deciders-die",
        "an API dies in the midst of a decision, then the agents; its client never comes back",
        _deciders_die,
        amounts=Amounts(payments=60, seconds=40.0, once=0.6),
    ),
    Schedule(
        "apis-come-and-go",
        "two APIs, four, two others: owners stand still past their session, and go on",
        _apis_come_and_go,
        layout=dict(USUAL) | {"api-3": "north", "api-4": "south"},
        waiting=("api-3", "api-4"),
        amounts=Amounts(payments=120, seconds=75.0, conflicting=0.2, repeated=0.4),
    ),
    Schedule(
        "agents-share",
        "agents on separate disks come, stand still and go, most payments come by the inbox",
        _agents_share,
        layout=dict(USUAL) | {f"decisions-{n}": f"agents-{n}" for n in (2, 3)},
        waiting=("decisions-2", "decisions-3"),
        amounts=Amounts(
            payments=60, seconds=50.0, by_inbox=0.7, labelled=0.6, conflicting=0.2, unreadable=0.1
        ),
    ),
    Schedule(
        "features-stopped",
        "no features and vectors for 60 s, one merchant with a fifth of the traffic (fault 6)",
        _features_stopped,
        amounts=Amounts(payments=80, seconds=70.0, hot=0.2, merchants=10),
    ),
    Schedule(
        "agents-come-and-go",
        "one agent, four on separate disks, one again, with alerts outstanding (fault 7)",
        _agents_come_and_go,
        layout=dict(USUAL) | {f"decisions-{n}": f"agents-{n}" for n in (2, 3, 4)},
        waiting=("decisions-2", "decisions-3", "decisions-4"),
        amounts=Amounts(payments=90, seconds=50.0),
    ),
)
