"""`retrace models watch`: checks age and health of the models, and trains another when due."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from cli.models.group import AsJson, group

if TYPE_CHECKING:
    from operations.training.retraining import Check, Schedule
    from runtime.settings import Settings

NOT_CHECKED = 2


def register() -> None:
    """Adds the command to `retrace models`."""
    group.command()(watch)


def watch(
    every: Annotated[
        str, typer.Option(help="Train when the newest model is that old; 0 for drift alone.")
    ] = "7d",
    check: Annotated[str, typer.Option(help="How often to check.")] = "1h",
    rest: Annotated[
        str, typer.Option(help="Drift does not start a training before the newest is that old.")
    ] = "1d",
    promote: Annotated[
        bool, typer.Option("--promote/--no-promote", help="Promote what was trained, unless worse.")
    ] = False,
    once: Annotated[bool, typer.Option("--once", help="Check once, for a cron job.")] = False,
    as_json: AsJson = False,
) -> None:
    """Train another model when the newest is old, or when the model in force has drifted.

    Exit status of --once: 0 there was no reason, or it is trained; 1 the training failed; 2 the
    log could not be read; 3 the new model was refused and is not in force. Without --once it
    reports a failure and checks again.
    """
    from domain.durations import parse_duration
    from domain.errors import InvalidInputError, RetraceError
    from host.clock import now_us
    from operations.training.retraining import Schedule
    from runtime.settings import load_settings

    schedule = Schedule(parse_duration(every, "--every"), parse_duration(rest, "--rest"))
    pause = parse_duration(check, "--check")
    if not pause:
        raise InvalidInputError("--check", "expected a span of time, such as 1h")
    settings = load_settings()
    for _ in _rounds(once, pause / 1e6):
        try:
            found = _checked(settings, schedule, promote, now_us())
        except RetraceError as error:
            _say(f"check failed: {error}")
            if once:
                raise typer.Exit(NOT_CHECKED) from None
            continue
        _print(found, promote, as_json)
        if once:
            raise typer.Exit(_status(found))


def _status(found: Check) -> int:
    from operations.training.results import NOT_IN_FORCE

    if found.failed:
        return 1
    return NOT_IN_FORCE if found.refused else 0


def _checked(settings: Settings, schedule: Schedule, promote: bool, now: int) -> Check:
    from operations.monitoring.health import health_of
    from operations.training.retraining import Retraining, train_in_child
    from runtime.composition.monitoring import health_query, open_health

    query = health_query(settings, now)
    with open_health(settings) as ports:
        health = partial(health_of, ports, None, query)
        retraining = Retraining(ports.log, health, train_in_child, schedule, promote, _say)
        return retraining.check(now)


def _rounds(once: bool, pause: float) -> Iterator[None]:
    yield
    while not once:
        time.sleep(pause)
        yield


def _say(text: str) -> None:
    print(f"retrace: {text}", file=sys.stderr, flush=True)


def _print(found: Check, promoted: bool, as_json: bool) -> None:
    facts = found.facts()
    if as_json:
        print(json.dumps(facts), flush=True)
        return
    parts = [facts["checked_at"][:19], f"health {found.level}"]
    if found.reason is None:
        parts.append("nothing to train")
    elif found.trained is None:
        parts.append(f"training failed ({found.reason}): {found.failed}; tried again next time")
    elif found.refused:
        parts.append(f"trained {found.trained['model_id']} ({found.reason}), refused")
        parts.append(found.refused)
    else:
        state = "in force" if promoted else "not in force until it is promoted"
        parts.append(f"trained {found.trained['model_id']} ({found.reason}), {state}")
    print("  ".join([*parts, *filter(None, [found.note])]), flush=True)
