"""Runs of the whole product over simulated servers: a seed says everything, and faults are met."""

import json
import os
import subprocess
import sys

import pytest

from eventlog.binding import bound
from faults.installation.installation import Installation
from faults.run import run
from faults.schedules.schedule import Schedule
from faults.simulate import every_other, run_named, simulate

_TRACED = """\
import gc, json
from faults.simulate import run_named
gc.set_threshold({collected})
runs = [run_named("mixed", 11), run_named("between-states-and-marker", 3)]
print(json.dumps([[o.trace, o.steps, o.seconds, [repr(f) for f in o.findings]] for o in runs]))
"""


def test_a_seed_gives_the_same_run_in_every_process_whenever_it_collects_garbage() -> None:
    traces = set()
    for hashing, collected in (("1", 10_000), ("2", 40)):
        search = {**os.environ, "PYTHONHASHSEED": hashing}
        command = [sys.executable, "-c", _TRACED.format(collected=collected)]
        ended = subprocess.run(command, env=search, check=True, capture_output=True, text=True)
        traces.add(json.dumps(json.loads(ended.stdout.splitlines()[-1])))
    assert len(traces) == 1


def test_faults_are_met_and_counted() -> None:
    met = simulate(["mixed"], 1, 4, lambda _: None).met
    assert len([kind for kind, count in met.items() if count]) > 5
    assert {"record nobody can read", "two contents at once"} <= met.keys()


async def _alerts_never_arrive(installation: Installation) -> None:
    installation.servers.receiver.go_away(10_000)


def test_what_does_not_come_to_rest_is_audited_all_the_same() -> None:
    schedule = Schedule("receiver-away", "no alert is taken", _alerts_never_arrive)
    assert {each.check for each in run(schedule, 1).findings} == {"rest", "alerts"}


def test_a_process_that_goes_on_after_kafka_was_recreated_is_a_finding(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bound, "_refuse_others", lambda *_: None)
    assert "schedule" in {each.check for each in run_named("kafka-recreated", 1).findings}


def test_every_second_seed_is_mixed_and_the_others_take_turns() -> None:
    given = list(every_other(["calm", "mixed", "power-loss"], 1, 6))
    assert given == [
        ("calm", 1), ("mixed", 2), ("power-loss", 3), ("mixed", 4), ("calm", 5), ("mixed", 6)
    ]  # fmt: skip
    assert list(every_other(["power-loss"], 7, 2)) == [("power-loss", 7), ("power-loss", 8)]
