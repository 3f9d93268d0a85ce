"""Schedules about owners: partitions that change hands while the old owner is at work."""

import asyncio

from faults.clients.traffic import Amounts
from faults.installation.installation import Installation
from faults.schedules.schedule import USUAL, Schedule

_MOVING = Amounts(payments=40, seconds=40.0)


async def _old_owner_writes(installation: Installation) -> None:
    """Each features worker in turn stands still in the midst of writes, past its session."""
    chance, trouble = installation.servers.loop.chance, installation.servers.trouble
    for name in ("features-1", "features-2"):
        await asyncio.sleep(chance.uniform(3, 8))
        trouble.met["paused"] += 1
        installation.pause(name, chance.uniform(11, 16))
        await asyncio.sleep(17)


async def _stopped_between_states_and_marker(installation: Installation) -> None:
    """A features worker dies after each of its first effects on Redis in turn."""
    trouble = installation.servers.trouble
    for after in range(1, 7):
        name = trouble.chance.choice(("features-1", "features-2"))
        if installation.processes[name].alive:
            trouble.kill_after[name] = trouble.effects[name] + after
        await asyncio.sleep(trouble.chance.uniform(2, 5))
        installation.revive()


async def _features_stopped(installation: Installation) -> None:
    await asyncio.sleep(3)
    for name in ("features-1", "features-2"):
        installation.kill(name, down=60.0)
    await asyncio.sleep(60.0)


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
        _stopped_between_states_and_marker,
        amounts=_MOVING,
    ),
    Schedule(
        "features-stopped",
        "no features worker for 60 s, one merchant with a fifth of the traffic (fault 6)",
        _features_stopped,
        amounts=Amounts(payments=80, seconds=70.0, hot=0.2, merchants=10),
    ),
    Schedule(
        "agents-come-and-go",
        "one agent, four on separate disks, one again, with alerts outstanding (fault 7)",
        _agents_come_and_go,
        layout=dict(USUAL) | {f"decisions-{n}": f"agents-{n}" for n in (2, 3, 4)},
        waiting=("decisions-2", "decisions-3", "decisions-4"),
        amounts=Amounts(payments=40, seconds=60.0),
        fails="alerts are posted again by an agent on another disk (fault 7)",
        fails_at=105,
    ),
)
