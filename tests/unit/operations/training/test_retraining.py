"""A model is trained again for its age or for drift, with a reason; a failure is only reported."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.main import app
from cli.models import watch as models_watch
from domain.errors import LogUnavailableError, UnavailableError
from domain.events import Envelope, Event, ModelPromoted, ModelRetired, ModelTrained
from domain.times import DAY, HOUR
from eventlog.in_memory import InMemoryEventLog
from eventlog.topics import POLICY
from inference.monitoring.report import ModelHealth
from operations.training import retraining
from operations.training.results import NOT_IN_FORCE
from operations.training.retraining import Check, Retraining, Schedule, train_in_child, trainings_of
from tests.builders.artefacts import measured

NOW = 100 * DAY
STEADY, DRIFTED = measured(0), measured(3)


def trained(model_id: str) -> ModelTrained:
    return ModelTrained(
        model_id=model_id, model_hash=f"hash of {model_id}", feature_set="f", as_known_at=0,
        transactions=1, frauds=1, average_precision=0.5,
    )  # fmt: skip


def promoted(model_id: str) -> ModelPromoted:
    return ModelPromoted(model_id=model_id, model_hash=f"hash of {model_id}", feature_set="f")


@dataclass
class Bench:
    """A log with facts of so many days ago; trainings are recorded, not made."""

    log: InMemoryEventLog = field(default_factory=InMemoryEventLog)
    asked: list[bool] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    fails: Exception | None = None

    def record(self, fact: Event, days_ago: float) -> Bench:
        known = int(NOW - days_ago * DAY)
        event_id = f"{fact.NAME}/{known}"
        self.log.append_nowait(
            POLICY,
            None,
            Envelope(
                id=event_id, source="tests", subject="m", time=known, known_time=known, data=fact,
                correlation_id=event_id,
            ),
        )  # fmt: skip
        return self

    def check(
        self, health: ModelHealth | Exception = STEADY, promote: bool = False, **schedule: int
    ) -> Check:
        def look() -> ModelHealth:
            if isinstance(health, Exception):
                raise health
            return health

        def train(promote: bool) -> dict[str, Any]:
            self.asked.append(promote)
            if self.fails:
                raise self.fails
            return {"model_id": "new"}

        made = Retraining(
            self.log, look, train, Schedule(**schedule), promote, self.messages.append
        )
        return made.check(NOW)


def test_a_young_model_on_ordinary_traffic_is_left_alone() -> None:
    bench = Bench().record(trained("a"), 3).record(promoted("a"), 3)
    found = bench.check()
    assert (found.reason, found.trained, bench.asked) == (None, None, [])
    assert "a came 3 days ago" in found.note


def test_an_old_model_is_trained_again_and_promoted_only_where_that_is_asked_for() -> None:
    bench = Bench().record(trained("a"), 8).record(promoted("a"), 8)
    found = bench.check()
    assert found.trained == {"model_id": "new"}
    assert found.reason == "scheduled: a came 8 days ago"
    assert bench.messages == ["trains: scheduled: a came 8 days ago"]
    bench.check(promote=True)
    assert bench.asked == [False, True]
    assert bench.check(every=0).reason is None


def test_drift_asks_for_a_new_model_and_says_what_drifted() -> None:
    bench = Bench().record(trained("a"), 3).record(promoted("a"), 3)
    assert bench.check(DRIFTED).reason == "drift of features"


def test_drift_asks_for_no_other_model_while_one_waits_to_be_promoted() -> None:
    bench = Bench().record(promoted("a"), 6).record(trained("b"), 2)
    found = bench.check(DRIFTED)
    assert (found.reason, bench.asked) == (None, [])
    assert "b came 2 days ago and waits to be promoted" in found.note
    assert bench.record(promoted("b"), 1).check(DRIFTED).reason == "drift of features"


@pytest.mark.parametrize("ended", ["rolled back", "retired"])
def test_a_model_that_was_taken_back_or_retired_does_not_wait(ended: str) -> None:
    bench = Bench().record(promoted("a"), 9).record(trained("b"), 5)
    if ended == "rolled back":
        bench.record(promoted("b"), 4).record(promoted("a"), 3)
    else:
        bench.record(ModelRetired(model_id="b", model_hash="hash of b", reason="worse"), 4)
    assert bench.check(DRIFTED, every=0).reason == "drift of features"


def test_drift_that_a_new_model_did_not_end_waits_for_more_to_learn_from() -> None:
    bench = Bench().record(trained("a"), 0.5).record(promoted("a"), 0.5)
    assert "too lately" in bench.check(DRIFTED).note
    assert bench.check(DRIFTED, rest=HOUR).reason == "drift of features"


def test_a_model_that_was_only_promoted_counts_from_then_and_none_at_all_is_a_reason() -> None:
    assert Bench().check().reason == "there is no model yet"
    known = trainings_of(Bench().record(promoted("a"), 3).log)
    assert (known.newest_id, known.newest_time) == ("a", NOW - 3 * DAY)


def test_the_schedule_holds_where_health_cannot_be_measured() -> None:
    away = UnavailableError("postgresql", "refused")
    young = Bench().record(promoted("a"), 3).check(away)
    assert (young.level, young.reason) == ("unknown", None)
    assert "postgresql: refused" in young.note
    assert Bench().record(promoted("a"), 9).check(away).trained


@pytest.mark.parametrize(
    "error",
    [
        subprocess.CalledProcessError(1, "retrace train"),
        OSError("no memory"),
        ValueError("no JSON"),
    ],
)
def test_a_failed_training_is_reported_and_tried_again_at_the_next_check(error: Exception) -> None:
    bench = Bench(fails=error).record(promoted("a"), 9)
    first, second = bench.check(), bench.check()
    assert first.failed == second.failed == str(error)
    bench.fails = None
    assert bench.check().failed is None


def test_a_failed_child_ends_in_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("KAFKA_BOOTSTRAP_SERVERS", "REDIS_URL", "DATABASE_URL", "MONGODB_URL"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("RETRACE_STATE_DIR", str(tmp_path))
    with pytest.raises(subprocess.CalledProcessError, match="status 1"):
        train_in_child(False)


@pytest.fixture
def child(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str, int], None]:
    """Lets the child print this and end with this status, whatever it is asked."""

    def ends(output: str, status: int) -> None:
        script = tmp_path / "child"
        script.write_text(f"#!/bin/sh\necho '{output}'\nexit {status}\n")
        script.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(script))

    return ends


def test_a_model_that_the_gate_refused_is_trained_and_not_a_failure(
    child: Callable[[str, int], None],
) -> None:
    child('{"model_id": "new", "promoted": false, "refused": "fall: so far"}', NOT_IN_FORCE)
    assert train_in_child(True)["refused"] == "fall: so far"
    child("", 1)
    with pytest.raises(subprocess.CalledProcessError, match="status 1"):
        train_in_child(True)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Runs the command, whose checks give these results one after the other."""
    servers = {
        "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "DATABASE_URL": "postgresql+psycopg://nobody@127.0.0.1:1/none",
        "MONGODB_URL": "mongodb://127.0.0.1:1/none",
    }
    for name, value in servers.items():
        monkeypatch.setenv(name, value)

    def invoke(checks: list[Check | Exception], *options: str) -> Any:
        def look(*_: object) -> Check:
            found = checks.pop(0)
            if isinstance(found, BaseException):
                raise found
            return found

        monkeypatch.setattr(models_watch, "_checked", look)
        return CliRunner().invoke(app, ["models", "watch", *options])

    return invoke


def test_one_look_ends_with_what_it_came_to(run: Callable[..., Any]) -> None:
    fine = retraining.Check(NOW, "alert", "drift of scores", "", trained={"model_id": "new"})
    done = run([fine], "--once")
    assert done.exit_code == 0
    assert "trained new (drift of scores), not in force until it is promoted" in done.stdout
    bad = retraining.Check(NOW, "steady", "scheduled: a", "", failed="status 1")
    assert run([bad], "--once").exit_code == 1
    away = run([LogUnavailableError("refused")], "--once")
    assert (away.exit_code, "refused" in away.stderr) == (2, True)
    output = json.loads(run([bad], "--once", "--json").stdout)
    assert (output["failed"], output["reason"]) == ("status 1", "scheduled: a")


def test_a_refusal_is_told_with_its_reason_and_a_status_of_its_own(run: Callable[..., Any]) -> None:
    trained: dict[str, Any] = {"model_id": "new", "promoted": False, "refused": "fall: so far"}
    refused = retraining.Check(NOW, "alert", "drift of scores", "", trained=trained)
    done = run([refused], "--once", "--promote")
    assert done.exit_code == NOT_IN_FORCE == 3
    assert "trained new (drift of scores), refused  fall: so far" in done.stdout
    told = run([refused], "--once", "--promote", "--json")
    assert (told.exit_code, json.loads(told.stdout)["trained"]) == (3, trained)


def test_without_once_it_goes_on_after_failures(
    run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    steady = retraining.Check(NOW, "steady", None, "")
    bad = retraining.Check(NOW, "steady", "scheduled: a", "", failed="status 1")
    checks = [LogUnavailableError("refused"), bad, steady, KeyboardInterrupt()]
    done = run(checks, "--check", "1s")
    assert "check failed: kafka: refused" in done.stderr
    assert done.stdout.index("tried again next time") < done.stdout.index("nothing to train")
    assert checks == []
