"""Costs: by service, of each transaction, and none of a service that was started again."""

import os
import subprocess
import sys

import psutil
import pytest

from bench.live import costs
from bench.live.costs import milliseconds_each, processor_seconds
from host.processes import ProcessId
from local.stack.errors import StackError
from runtime.settings import settings_from_environment


def test_costs_are_those_of_each_transaction_the_dearest_first() -> None:
    found = milliseconds_each({"api": 1.0, "kafka": 2.0}, {"api": 1.5, "kafka": 4.0}, 1000)
    assert list(found.items()) == [("kafka", 2.0), ("api", 0.5), ("all", 2.5)]


def test_a_service_that_was_started_again_is_named() -> None:
    with pytest.raises(StackError, match="api was started again"):
        milliseconds_each({"api": 2.0}, {"api": 0.5}, 10)


def test_what_a_child_took_that_has_ended_still_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """As of a connection of PostgreSQL's, which is a process of its own."""
    ourselves = ProcessId.of(os.getpid())
    monkeypatch.setattr(costs, "recorded_processes", lambda _: [("postgres", ourselves)])
    work = "sum(range(20_000_000)); print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", work], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        its_own = psutil.Process(child.pid).cpu_times()
        before = processor_seconds(settings_from_environment())["postgres"]
        child.communicate(b"\n")
    after = processor_seconds(settings_from_environment())["postgres"]
    assert after >= before
    assert its_own.user > 0
