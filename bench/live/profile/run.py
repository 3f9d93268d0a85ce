"""Run of the profile: an API that measures its steps takes the place of the other, under load."""

import asyncio
import time
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import numpy as np
import orjson
import psutil

from bench.live.api_process import api_process
from bench.live.load import Generator, Offered, offer
from bench.live.profile.clock import Record, StepClock, Times
from bench.live.profile.steps import ROOT, STEPS
from local.chaos.installation import Installation

_EMPTY_STEPS = 20_000
TOTAL = "all"


def profile(
    installation: Installation,
    generator: Callable[[], Generator],
    rates: Sequence[float],
    seconds: float,
    warm_up: float,
    chance: Random,
) -> dict[str, Any]:
    """By rate: microseconds of each step, wall and processor, and what the process takes beside.

    The API of the installation is away meanwhile, and back at the end. Raises StackError.
    """
    file = installation.settings.state_dir / "profile.json"
    with installation.away("api"):
        settings, module = installation.settings, ["bench.live.profile.serving", str(file)]
        with api_process(settings, module, "api", settings.api_port) as process:
            loads = [_load(process, generator(), rate, seconds, warm_up, chance) for rate in rates]
        records = recorded(file.read_bytes())
    return {
        "step_cost_us": round(cost_of_a_step(), 2),
        "rates": {
            str(rate): found_in(records, load, spent)
            for rate, (load, spent) in zip(rates, loads, strict=True)
        },
    }


def found_in(records: Sequence[Record], load: Offered, spent: float) -> dict[str, Any]:
    """`spent` are the seconds of processor that the process took for warm-up and load."""
    mine = [each for each in records if load.began <= each.began / 1e9 < load.ended]
    every = [each for each in records if load.warmed <= each.began / 1e9 < load.ended]
    within = sum(t.processor for each in every for t in each.steps.values())
    beside = spent * 1e9 - within
    return {
        "requests": len(mine),
        **load.facts(),
        "steps": tabled(mine),
        "beside_us_each": round(beside / max(len(every), 1) / 1e3, 1),
    }


def tabled(records: Sequence[Record]) -> dict[str, dict[str, Any]]:
    """By step, in the order of the route, and of all together: microseconds of a request."""
    found = {}
    for step in STEPS:
        times = [each.steps.get(step, Times()) for each in records]
        found[step] = _figures([t.wall for t in times], [t.processor for t in times])
    found[TOTAL] = _figures(
        [sum(t.wall for t in each.steps.values()) for each in records],
        [sum(t.processor for t in each.steps.values()) for each in records],
    )
    return found


def recorded(content: bytes) -> list[Record]:
    """What the profiled process has written."""
    return [
        Record(began, {step: Times(*times) for step, times in steps.items()})
        for began, steps in orjson.loads(content)
    ]


def cost_of_a_step() -> float:
    """Microseconds of processor that measuring one step takes, which is in the step around it."""
    clock = StepClock()

    async def steps(work: Callable[[], None]) -> int:
        began = time.thread_time_ns()
        for _ in range(_EMPTY_STEPS):
            work()
        return time.thread_time_ns() - began

    def nothing() -> None:
        return

    measured = asyncio.run(clock.root(ROOT, steps)(clock.called("empty", nothing)))
    plain = asyncio.run(steps(nothing))
    return float(measured - plain) / _EMPTY_STEPS / 1e3


def _figures(wall: Sequence[int], processor: Sequence[int]) -> dict[str, Any]:
    return {"wall_us": _micros(wall), "cpu_us": _micros(processor)}


def _micros(values: Sequence[int]) -> dict[str, float]:
    if not values:
        return {}
    micros = np.array(values) / 1e3
    p50, p99 = np.percentile(micros, [50, 99])
    figures = {"p50": p50, "p99": p99, "mean": micros.mean()}
    return {name: round(float(value), 1) for name, value in figures.items()}


def _load(
    process: psutil.Process,
    generator: Generator,
    rate: float,
    seconds: float,
    warm_up: float,
    chance: Random,
) -> tuple[Offered, float]:
    before = sum(process.cpu_times()[:2])
    load = offer(generator, rate, seconds, chance, warm_up)
    return load, sum(process.cpu_times()[:2]) - before
