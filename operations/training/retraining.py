"""Retraining by schedule or for drift: whether a model is due, why, and the child that trains it.

Training has a process of its own: its memory and its end do not touch the process that watches.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from commands.policy.topic import facts
from domain.errors import RetraceError
from domain.events import ModelPromoted, ModelRetired, ModelTrained
from domain.times import DAY, HOUR, to_rfc3339
from eventlog.port import EventLog
from inference.monitoring.report import ModelHealth
from operations.training.results import NOT_IN_FORCE


@dataclass(frozen=True, slots=True)
class Schedule:
    """A model is trained when the newest is `every` old (0: never for its age), and for drift once
    it is `rest` old; microseconds."""

    every: int = 7 * DAY
    rest: int = DAY


@dataclass(frozen=True, slots=True)
class Trainings:
    """The newest model of the log, when it came (microseconds UTC), and whether it waits to be
    promoted, which ends once it was promoted or is retired. Empty id: there is none."""

    newest_id: str = ""
    newest_time: int = 0
    waits: bool = False


def trainings_of(log: EventLog) -> Trainings:
    """Raises LogUnavailableError."""
    found, newest = Trainings(), ""
    for _, fact in facts(log):
        data = fact.data
        if isinstance(data, ModelTrained) or (isinstance(data, ModelPromoted) and not newest):
            found = Trainings(data.model_id, fact.known_time, waits=True)
            newest = data.model_hash
        if isinstance(data, ModelPromoted | ModelRetired) and data.model_hash == newest:
            found = replace(found, waits=False)
    return found


def reason_to_train(
    known: Trainings, health: ModelHealth | None, schedule: Schedule, now: int
) -> tuple[str | None, str]:
    """(why a model is to be trained now, None where it is not; a note).

    Drift asks for one new model, not for another at every check until that one is promoted.
    """
    if not known.newest_id:
        return "there is no model yet", ""
    age = now - known.newest_time
    came = f"{known.newest_id} came {_in_words(age)} ago"
    if schedule.every and age >= schedule.every:
        return f"scheduled: {came}", ""
    if health is None or health.level != "alert":
        return None, came
    over = ", ".join(name for name, level in health.levels.items() if level == "alert")
    if known.waits:
        return None, f"drift of {over}; {came} and waits to be promoted"
    if age < schedule.rest:
        return None, f"drift of {over}; {came}, too lately to train another"
    return f"drift of {over}", ""


def _in_words(span: int) -> str:
    return f"{span // DAY} days" if span >= 2 * DAY else f"{span // HOUR} hours"


@dataclass(frozen=True, slots=True)
class Check:
    """What was found, and what was done about it; `at` in microseconds UTC."""

    at: int
    level: str
    reason: str | None
    note: str
    trained: dict[str, Any] | None = None
    failed: str | None = None

    @property
    def refused(self) -> str | None:
        """Why the gate did not put the new model in force, where it was to be."""
        return self.trained.get("refused") if self.trained else None

    def facts(self) -> dict[str, Any]:
        return {
            "checked_at": to_rfc3339(self.at),
            "level": self.level,
            "reason": self.reason,
            "note": self.note,
            "trained": self.trained,
            "failed": self.failed,
        }


Train = Callable[[bool], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Retraining:
    """`health` of the model in force; `train(promote)` gives what `retrace train --json` does."""

    log: EventLog
    health: Callable[[], ModelHealth]
    train: Train
    schedule: Schedule
    promote: bool
    say: Callable[[str], None]

    def check(self, now: int) -> Check:
        """Checks once, and trains where there is a reason; a failed training is in the result.

        Raises LogUnavailableError.
        """
        known = trainings_of(self.log)
        health, note = self._health()
        reason, more = reason_to_train(known, health, self.schedule, now)
        level = health.level if health else "unknown"
        notes = "; ".join(filter(None, (note, more)))
        if reason is None:
            return Check(now, level, None, notes)
        self.say(f"trains: {reason}")
        try:
            return Check(now, level, reason, notes, trained=self.train(self.promote))
        except (subprocess.SubprocessError, OSError, ValueError) as error:
            return Check(now, level, reason, notes, failed=str(error))

    def _health(self) -> tuple[ModelHealth | None, str]:
        """None, and why, where it cannot be measured: the schedule holds all the same."""
        try:
            return self.health(), ""
        except RetraceError as error:
            return None, f"health is unknown: {error}"


def train_in_child(promote: bool) -> dict[str, Any]:
    """As `retrace train --json`, with its progress on stderr; a model that was refused is trained
    all the same. Raises CalledProcessError."""
    option = "--promote" if promote else "--no-promote"
    command = [sys.executable, "-m", "cli.main", "train", option, "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        try:
            output, _ = child.communicate()
        except BaseException:
            child.terminate()
            raise
    if child.returncode not in (0, NOT_IN_FORCE):
        raise subprocess.CalledProcessError(child.returncode, "retrace train")
    summary: dict[str, Any] = json.loads(output)
    return summary
