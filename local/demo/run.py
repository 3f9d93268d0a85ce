"""The demo from start to end: stack, history, projections, model, live traffic."""

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from rich.console import Console

from eventlog.port import InboxLog
from host.clock import now_us
from local.demo import demo_state
from local.demo.data_file import DataFile, read_data
from local.demo.demo_state import DemoState
from local.demo.live.events import LiveEvent, LiveTransaction, simulated_traffic
from local.demo.live.screen import Bars
from local.demo.live.session import LiveResult, LiveSession
from local.demo.live.traffic import Schedule
from local.demo.plan import DemoRequest, live_prefix, plan_live
from local.demo.stages import Stages
from local.demo.summary import Outcome
from local.stack.control import LocalStack
from local.stack.services import without_own_urls
from local.stack.terminal import TerminalProgress
from operations.policy.publishing import DEFAULT_FOLDER
from runtime.composition.intake import cleaner_of
from runtime.composition.log import open_log
from runtime.composition.models import open_publisher
from runtime.composition.positions import open_positions
from runtime.processes.prepare import prepare
from runtime.settings import Settings, load_settings, settings_from_environment


def run_demo(request: DemoRequest, console: Console, **given: Any) -> tuple[Outcome, Settings]:
    """Raises RetraceError. After an interruption it can be run again, and continues."""
    started = time.monotonic()
    given_settings = settings_from_environment(**given)
    data = (
        read_data(request.data, request.transactions, cleaner_of(given_settings), now_us())
        if request.data
        else None
    )
    settings = start_stack(console, **given)
    with open_log(settings) as log:
        state = make_ready(settings, log, request, data, console)
        if request.default_policy:
            publish_default(settings, console)
        result = live(settings, log, state, request, data, console)
    outcome = Outcome(
        result.figures,
        result.reconciliation,
        state.transactions or 0,
        result.seconds,
        time.monotonic() - started,
    )
    return outcome, settings


def start_stack(console: Console, **given: Any) -> Settings:
    """Changes nothing if it runs. If interrupted before it is ready, stops what it started."""
    settings = without_own_urls(settings_from_environment(**given))
    progress = TerminalProgress(console)
    with progress.shown():
        LocalStack(settings, progress).up(lambda: prepare(load_settings(**given), progress.step))
    return load_settings(**given)


def make_ready(
    settings: Settings, log: InboxLog, request: DemoRequest, data: DataFile | None, console: Console
) -> DemoState:
    """Afterwards the history is in the log and projected, and a model trained on it decides."""

    def say(text: str) -> None:
        console.print(text, highlight=False, markup=False)

    stages = Stages(settings, log, now_us, say, lambda: Bars(console))
    state = demo_state.load(settings.state_dir, of_data=data is not None)
    if data is None:
        state = stages.import_history(state, request)
    else:
        state = stages.import_data(state, data)
    with open_positions(settings) as positions:
        stages.wait_for_projections(positions)
    if data is not None and not data.labelled:
        say("Without a label there is nothing to train on. The live model stays.")
        return state
    return stages.train(state)


def publish_default(settings: Settings, console: Console) -> None:
    """Says what is in force from now on. The next run leaves it so."""
    with open_publisher(settings) as publisher:
        done = publisher.publish(DEFAULT_FOLDER, "demo")
    told = "is in force" if done else "was in force already"
    console.print(f"The default policy {told}: retrace policy show", highlight=False)


def live(
    settings: Settings,
    log: InboxLog,
    state: DemoState,
    request: DemoRequest,
    data: DataFile | None,
    console: Console,
) -> LiveResult:
    now = now_us()
    id_prefix = live_prefix(now)
    schedule = Schedule(request.seconds, request.rate)
    events = data.traffic(id_prefix) if data else _simulated(state, request, now, id_prefix)

    def remember(last: LiveTransaction) -> None:
        # The next run continues after it.
        after = replace(state, next_day=last.day + 1, live_until_us=last.timestamp)
        demo_state.save(settings.state_dir, after)

    return LiveSession(settings, log, id_prefix, schedule, console).run(events, remember)


def _simulated(
    state: DemoState, request: DemoRequest, now: int, id_prefix: str
) -> Iterator[LiveEvent]:
    assert state.history is not None
    plan = state.history
    first_day = max(state.next_day, plan.days)
    window = plan_live(plan, now, request.transactions, first_day, state.live_until_us)
    return simulated_traffic(plan, window, id_prefix)
