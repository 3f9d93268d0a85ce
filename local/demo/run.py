"""Owns the order of a demo: stack, history, projections, model, live part; does none of them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

from rich.console import Console

from eventlog.port import InboxLog
from host.clock import now_us
from local.demo import remembered
from local.demo.data import DataFile, read_data
from local.demo.live.live_part import Lived, LivePart
from local.demo.live.payments import LiveEvent, LiveTransaction, simulated_traffic
from local.demo.live.screen import Bars
from local.demo.live.traffic import Pace
from local.demo.plan import DemoRequest, live_prefix, plan_live
from local.demo.remembered import Remembered
from local.demo.stages import Stages
from local.demo.summary import Outcome
from local.stack.control import LocalStack
from local.stack.services import without_own_urls
from local.stack.terminal import TerminalProgress
from operations.monitoring.projection_lag import ProjectionPositions
from runtime.composition.log import open_log
from runtime.processes.prepare import prepare
from runtime.settings import Settings, load_settings, settings_from_environment


def run_demo(request: DemoRequest, console: Console, **given: Any) -> tuple[Outcome, Settings]:
    """Raises RetraceError. Interrupted, it leaves no half of anything, and can be run again."""
    started = time.monotonic()
    data = read_data(request.data, request) if request.data else None
    settings = start_stack(console, **given)
    with open_log(settings) as log:
        known = make_ready(settings, log, request, data, console)
        lived = live(settings, log, known, request, data, console)
    outcome = Outcome(
        lived.figures,
        lived.accounts,
        known.transactions or 0,
        lived.seconds,
        time.monotonic() - started,
    )
    return outcome, settings


def start_stack(console: Console, **given: Any) -> Settings:
    """Harmless where it runs. Interrupted before it is ready, what was started is stopped."""
    settings = without_own_urls(settings_from_environment(**given))
    progress = TerminalProgress(console)
    with progress.shown():
        LocalStack(settings, progress).up(lambda: prepare(load_settings(**given), progress.step))
    return load_settings(**given)


def make_ready(
    settings: Settings,
    log: InboxLog,
    request: DemoRequest,
    data: DataFile | None,
    console: Console,
) -> Remembered:
    """History is in the log and projected, and a model trained on it is in force."""

    def say(text: str) -> None:
        console.print(text, highlight=False, markup=False)

    stages = Stages(settings, log, now_us, say, lambda: Bars(console))
    known = remembered.load(settings.state_dir, of_data=data is not None)
    if data is None:
        known = stages.lay_history(known, request)
    else:
        known = stages.take_data(known, data, request)
    with closing(ProjectionPositions(settings)) as positions:
        stages.catch_up(positions)
    if data is not None and request.label is None:
        say("Without --label nothing is known to learn from: the model in force stays.")
        return known
    return stages.train(known)


def live(
    settings: Settings,
    log: InboxLog,
    known: Remembered,
    request: DemoRequest,
    data: DataFile | None,
    console: Console,
) -> Lived:
    now = now_us()
    id_prefix = live_prefix(now)
    pace = Pace(request.seconds, request.rate)
    events = data.traffic(id_prefix) if data else _simulated(known, request, now, id_prefix)

    def told(last: LiveTransaction) -> None:
        # The next run goes on after it, as far as there is room before that moment.
        after = replace(known, next_day=last.day + 1, live_until_us=last.timestamp)
        remembered.save(settings.state_dir, after)

    return LivePart(settings, log, id_prefix, pace, console).run(events, told)


def _simulated(
    known: Remembered, request: DemoRequest, now: int, id_prefix: str
) -> Iterator[LiveEvent]:
    assert known.history is not None
    plan = known.history
    first_day = max(known.next_day, plan.days)
    window = plan_live(plan, now, request.transactions, first_day, known.live_until_us)
    return simulated_traffic(plan, window, id_prefix)
