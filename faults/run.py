"""One run: an installation, its traffic, the faults of a schedule, and the audit afterwards."""

import asyncio
import gc
import logging
import sys
import warnings
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random

from eventlog.topics import TOPICS
from faults.audit.auditing import audit
from faults.audit.evidence import Finding
from faults.clients.traffic import Traffic
from faults.gather import evidence_of, unrest
from faults.installation.hosts import Servers
from faults.installation.installation import Installation
from faults.loop.seeded_loop import SeededLoop
from faults.schedules.schedule import Schedule

_LOOK_SECONDS = 2.0
_REST_SECONDS = 300.0
_QUIET_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one seed: what is wrong, what it met, how long it took (virtual seconds), its steps."""

    schedule: str
    seed: int
    findings: list[Finding]
    met: Mapping[str, int] = field(default_factory=Counter)
    seconds: float = 0.0
    steps: int = 0
    trace: int = 0
    ends: list[str] = field(default_factory=list)


def run(schedule: Schedule, seed: int) -> Outcome:
    """The same schedule and seed give the same outcome."""
    logging.disable(logging.CRITICAL)
    # What is left of killed processes complains while it is collected.
    told, sys.unraisablehook = sys.unraisablehook, lambda _: None
    # What is there already is not looked through for what the run leaves behind, at its end.
    collected = gc.isenabled()
    gc.freeze()
    gc.disable()
    try:
        with warnings.catch_warnings(action="ignore", category=RuntimeWarning):
            try:
                return _within_a_loop(schedule, seed)
            finally:
                gc.collect()
    finally:
        gc.unfreeze()
        if collected:
            gc.enable()
        logging.disable(logging.NOTSET)
        sys.unraisablehook = told


def _within_a_loop(schedule: Schedule, seed: int) -> Outcome:
    loop = SeededLoop(Random(f"{schedule.name}/{seed}"))
    asyncio.set_event_loop(loop)
    try:
        return loop.run_until_complete(_run(loop, schedule, seed))
    finally:
        loop.bury()
        asyncio.set_event_loop(None)


async def _run(loop: SeededLoop, schedule: Schedule, seed: int) -> Outcome:
    servers = Servers(loop)
    installation = Installation(servers, schedule.hosts(), dict(schedule.layout))
    try:
        return await _judged(installation, schedule, seed)
    finally:
        installation.end()


async def _judged(installation: Installation, schedule: Schedule, seed: int) -> Outcome:
    servers, loop = installation.servers, installation.servers.loop
    traffic = Traffic(installation, schedule.amounts)
    installation.start(schedule.waiting)
    sending = loop.create_task(traffic.run())
    await schedule.faults(installation)
    await _supervised(installation, sending)
    if schedule.more is not None:
        await _supervised(installation, loop.create_task(schedule.more(traffic)))
    findings = await _rested(installation)
    findings += audit(evidence_of(installation, traffic.client))
    if servers.trouble.met["stalled"] and not schedule.may_stall:
        stalls = servers.trouble.met["stalled"]
        findings.append(Finding("stalls", f"{stalls} workers were ended by their watchdog"))
    findings += [Finding("answers", what) for what in traffic.client.failed]
    findings += [Finding("schedule", what) for what in installation.findings]
    return Outcome(
        schedule.name, seed, findings, servers.trouble.met, loop.time(), loop.steps,
        loop.trace, installation.ends,
    )  # fmt: skip


async def _supervised(installation: Installation, task: asyncio.Task[None]) -> None:
    """Waits for it, and starts again what is killed by its own effects meanwhile."""
    while not task.done():
        await asyncio.wait({task}, timeout=_LOOK_SECONDS)
        installation.revive()
    await task


async def _rested(installation: Installation) -> list[Finding]:
    """Waits until nothing moves any more; what never comes to rest is a finding."""
    servers = installation.servers
    servers.trouble.lost_answers, servers.trouble.slowness = 0.0, 1.0
    # Or a process would die in the quiet time, by an effect that it had not had until then.
    servers.trouble.kill_after.clear()
    until = servers.loop.time() + _REST_SECONDS
    left = unrest(installation)
    while left and servers.loop.time() < until:
        await asyncio.sleep(_LOOK_SECONDS)
        installation.revive()
        left = unrest(installation)
        if not left:
            before = _sizes(installation)
            await asyncio.sleep(_QUIET_SECONDS)
            left = unrest(installation)
            if _sizes(installation) == before:
                return [Finding("rest", what) for what in left]
    return [Finding("rest", f"{what}, {_REST_SECONDS:g} s after the last fault") for what in left]


def _sizes(installation: Installation) -> list[int]:
    cluster = installation.servers.cluster
    return [partition.end for topic in TOPICS for partition in cluster.partitions(topic)]
