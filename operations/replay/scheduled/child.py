"""Child that proves one turn: a process of its own, which gives way to every other one.

Its memory and its end do not touch the worker beside which it runs.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import psutil

from host.processes import die_with_parent

_LOOKS = 0.5
_MOST_TOLD = 300


@dataclass(frozen=True, slots=True)
class Bounds:
    """`seconds` of wall time, and `memory` in bytes that are resident."""

    seconds: float
    memory: int


@dataclass(frozen=True, slots=True)
class Proven:
    """Decisions compared and different, and differences by cause."""

    compared: int
    different: int
    causes: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NotProven:
    """It did not come to its end."""

    reason: str


def command_of(turn: int, sample: int) -> list[str]:
    asked = ["replay", "verify", "--sample", str(sample), "--turn", str(turn), "--json"]
    return [sys.executable, "-m", "cli.main", *asked]


async def prove(command: Sequence[str], bounds: Bounds) -> Proven | NotProven:
    """Runs it to its end, or as far as the bounds."""
    try:
        child = await asyncio.create_subprocess_exec(
            *command, stdin=DEVNULL, stdout=PIPE, stderr=PIPE,
            preexec_fn=die_with_parent(signal.SIGKILL),
        )  # fmt: skip
    except OSError as error:
        return NotProven(str(error))
    ended = asyncio.ensure_future(child.communicate())
    try:
        over = await _over(child, ended, bounds)
    finally:
        if child.returncode is None:
            with suppress(ProcessLookupError):
                child.kill()
        output, told = await ended
    if over:
        return NotProven(over)
    if child.returncode not in (0, 1) or not output:
        return NotProven(_reason(child.returncode, told))
    found = json.loads(output)
    return Proven(found["compared"], found["different"], found["causes"])


async def _over(child: Process, ended: asyncio.Future[tuple[bytes, bytes]], bounds: Bounds) -> str:
    """Which bound it is over; empty once it has ended."""
    process = None
    with suppress(psutil.Error):
        process = psutil.Process(child.pid)
        process.nice(19)
        if sys.platform == "linux":
            process.ionice(psutil.IOPRIO_CLASS_IDLE)
    loop = asyncio.get_running_loop()
    until = loop.time() + bounds.seconds
    while not ended.done():
        await asyncio.wait({ended}, timeout=_LOOKS)
        taken = 0
        with suppress(psutil.Error):
            taken = process.memory_info().rss if process is not None else 0
        if taken > bounds.memory:
            return f"it took more than {bounds.memory >> 20} MB of memory"
        if loop.time() > until and not ended.done():
            return f"it took more than {bounds.seconds / 60:g} minutes"
    return ""


def _reason(status: int | None, told: bytes) -> str:
    lines = told.decode(errors="replace").strip().splitlines() or [f"ended with status {status}"]
    return lines[-1].removeprefix("retrace: ")[:_MOST_TOLD]
