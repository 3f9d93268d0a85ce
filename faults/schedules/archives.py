"""Schedules about the archive: hosts without a disk of before, a log of which only the end is left,
and an archive of another log."""

import asyncio

from eventlog.topics import TRANSACTIONS
from faults.clients.traffic import Amounts, Traffic
from faults.installation.installation import Installation
from faults.schedules.schedule import USUAL, Schedule

_APIS = ("api-1", "api-2", "api-3", "api-4")
_NOTICED_SECONDS = 15.0


def _archived(installation: Installation) -> None:
    """Some of what is there is archived, and some of what is archived is deleted from the log."""
    chance, servers = installation.servers.loop.chance, installation.servers
    for partition in range(TRANSACTIONS.partitions):
        servers.archive.advance(partition, chance.choice((0, 3, 10, 1_000)))
        if chance.random() < 0.5:
            end = len(servers.archive.parts[partition].records)
            before = servers.cluster.deleted.get(partition, 0)
            servers.cluster.deleted[partition] = max(before, chance.randint(0, end))


def _without_a_disk(installation: Installation, name: str) -> None:
    """The process dies, and one takes its place on a new host."""
    for host in installation.hosts.values():
        host.disk.indexes.pop(name, None)
    installation.servers.trouble.met["disk lost"] += 1
    installation.kill(name, down=installation.servers.loop.chance.choice((0.2, 3.0)))


async def _new_hosts(installation: Installation) -> None:
    chance, archive = installation.servers.loop.chance, installation.servers.archive
    for turn in range(6):
        await asyncio.sleep(chance.uniform(1, 3))
        _archived(installation)
        if chance.random() < 0.2:
            archive.away_until = installation.servers.loop.time() + chance.uniform(0.1, 3)
        if turn == 1:
            installation.begin("api-3")
            installation.begin("api-4")
        name = chance.choice((*_APIS[: 4 if turn > 1 else 2], "decisions-1"))
        if chance.random() < 0.6:
            _without_a_disk(installation, name)
        elif installation.processes[name].alive:
            installation.pause(name, chance.uniform(6, 12))
    installation.kill("api-1", down=None)
    await asyncio.sleep(4)


async def _everything_again(traffic: Traffic) -> None:
    await traffic.everything_again()


async def _archive_of_another_log(installation: Installation) -> None:
    """The log is lost, and an operator begins anew but for the archive: it reaches further than the
    new log, and then no longer."""
    chance, servers = installation.servers.loop.chance, installation.servers
    await asyncio.sleep(chance.uniform(10, 15))
    for partition in range(TRANSACTIONS.partitions):
        servers.archive.advance(partition, chance.choice((2, 3, 1_000)))
    servers.trouble.met["kafka recreated"] += 1
    servers.cluster.recreate()
    await asyncio.sleep(_NOTICED_SECONDS)
    installation.begin_anew()
    for _ in range(5):
        await asyncio.sleep(chance.uniform(2, 5))
        _without_a_disk(installation, chance.choice(("api-1", "api-2", "decisions-1")))


SCHEDULES = (
    Schedule(
        "hosts-without-a-disk",
        "APIs and agents begin on new hosts, from the archive of a log whose beginning is deleted",
        _new_hosts,
        layout=dict(USUAL) | {"api-3": "north", "api-4": "south"},
        waiting=("api-3", "api-4"),
        amounts=Amounts(payments=40, seconds=20.0, conflicting=0.15, repeated=0.5, imported=4),
        more=_everything_again,
    ),
    Schedule(
        "archive-of-another-log",
        "Kafka is created anew, and the archive of the old log is kept beside it",
        _archive_of_another_log,
        amounts=Amounts(payments=60, seconds=40.0, repeated=0.4),
        more=_everything_again,
    ),
)
