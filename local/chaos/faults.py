"""Table of the faults that can be made on real servers, and how each is made."""

import resource
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from domain.times import DAY, HOUR, to_rfc3339
from host.clock import now_us
from local.chaos.installation import Installation
from local.stack.services import APPS, SERVICES

STILL_SECONDS = 12.0
"""Longer than a member of a consumer group may be silent: others take its partitions."""
KAFKA_AWAY_SECONDS = 100.0
STORES_AWAY_SECONDS = 40.0
"""Longer than a worker may stand still before its watchdog ends it."""
DISK_FULL_SECONDS = 15.0
_LOST_SECONDS = 1.0
_LOOK_SECONDS = 0.1
_IMPORTED = 300


@dataclass(frozen=True, slots=True)
class Fault:
    """`make` returns when the fault is over: from then on the time to recover counts."""

    name: str
    about: str
    make: Callable[[Installation], None]


def _kill(name: str, installation: Installation) -> None:
    installation.kill(name)


def _stand_still(name: str, installation: Installation) -> None:
    with installation.standing_still(name):
        installation.wait(STILL_SECONDS)


def _empty_redis(installation: Installation) -> None:
    installation.empty_redis()


def _set_redis_back(installation: Installation) -> None:
    folder = installation.settings.state_dir / "redis" / "appendonlydir"
    installation.wait(_LOST_SECONDS)
    before = {path: path.stat().st_size for path in folder.glob("*.incr.aof")}
    installation.wait(_LOST_SECONDS)
    with installation.away("redis"):
        for path, size in before.items():
            _cut(path, size)


def _cut(path: Path, size: int) -> None:
    """What came later is gone, as after a power loss with `appendfsync everysec`."""
    with path.open("r+b") as file:
        file.truncate(size)


def _stop_kafka(installation: Installation) -> None:
    with installation.away("kafka"):
        installation.wait(KAFKA_AWAY_SECONDS)


def _stores_away_at_a_start(installation: Installation) -> None:
    with installation.away("redis", "postgres", "mongodb"):
        for service in APPS:
            installation.kill(service.name)
        installation.wait(STORES_AWAY_SECONDS)


def _fill_the_disk(installation: Installation) -> None:
    """No file of the API and the workers can be written to: RLIMIT_FSIZE of each is 0.

    It needs no root and no file system of its own. A write fails with EFBIG instead of ENOSPC, and
    overwriting fails too, which a full disk would still allow. Servers are left alone.
    """
    limits: dict[int, tuple[int, int]] = {}
    for _ in range(round(DISK_FULL_SECONDS / _LOOK_SECONDS)):
        for process in installation.living(APPS):
            # Also those that are started again meanwhile.
            if process.pid not in limits:
                before = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
                limits[process.pid] = before
                resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (0, before[1]))
        installation.wait(_LOOK_SECONDS)
    for process in installation.living(APPS):
        if process.pid in limits:
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, limits[process.pid])


def _import_into_the_past(installation: Installation) -> None:
    begin = now_us() - DAY - _IMPORTED * HOUR // 4
    rows = ["id,at,amount,card,shop,fraud"]
    ids = [f"old-{number}" for number in range(_IMPORTED)]
    for number, name in enumerate(ids):
        at = to_rfc3339(begin + number * HOUR // 4)
        fraud = int(number % 20 == 7)
        # Of cards that the traffic uses too.
        rows.append(f"{name},{at},{5 + number % 83},card-{number % 8},shop-{number % 4},{fraud}")
    path = installation.settings.state_dir / "old.csv"
    path.write_text("\n".join(rows) + "\n")
    columns = {"transaction_id": "id", "timestamp": "at", "amount": "amount"}
    columns |= {"card_id": "card", "merchant_id": "shop"}
    maps = [part for name, column in columns.items() for part in ("--map", f"{name}={column}")]
    installation.retrace("ingest", str(path), *maps, "--label", "fraud", "--label-delay", "6h")
    installation.imported += ids


def _table() -> dict[str, Fault]:
    names = [service.name for service in SERVICES]
    faults = [
        Fault("import-into-the-past", "older history is imported beside live traffic",
              _import_into_the_past),
        *(Fault(f"kill-{name}", f"{name} is killed", partial(_kill, name)) for name in names),
        *(Fault(f"stop-{name}", f"{name} stands still for {STILL_SECONDS:g} s",
                partial(_stand_still, name)) for name in names),
        Fault("redis-emptied", "FLUSHALL: online states and markers are gone", _empty_redis),
        Fault("redis-set-back", "Redis comes back without its last second", _set_redis_back),
        Fault("kafka-away", f"Kafka is stopped for {KAFKA_AWAY_SECONDS:g} s", _stop_kafka),
        Fault("stores-away-at-a-start", "API and workers are killed, and Redis, PostgreSQL and "
              f"MongoDB are away for {STORES_AWAY_SECONDS:g} s while they start",
              _stores_away_at_a_start),
    ]  # fmt: skip
    if sys.platform == "linux":
        # Elsewhere the limits of another process cannot be set.
        faults.append(
            Fault("disk-full", f"API and workers can write no file for {DISK_FULL_SECONDS:g} s",
                  _fill_the_disk)
        )  # fmt: skip
    return {fault.name: fault for fault in faults}


FAULTS = _table()
