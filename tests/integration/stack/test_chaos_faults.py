"""Faults of `retrace chaos` on a real server: what they do, and that it is over afterwards."""

import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from host.processes import ProcessId, wait_until
from local.chaos.faults import FAULTS
from local.chaos.installation import Installation
from local.stack.control import LocalStack, Silent
from local.stack.service import Service
from runtime.settings import load_settings
from tests.integration.stack.conftest import settings_for

ELSEWHERE = {
    "kafka_bootstrap_servers": "kafka.example:9092",
    "database_url": "postgresql+psycopg://me:secret@db.example/retrace",
    "mongodb_url": "mongodb://mongo.example/retrace",
}


@pytest.fixture
def installation() -> Iterator[Installation]:
    """Redis alone."""
    with tempfile.TemporaryDirectory(prefix="retrace-") as name:
        folder = Path(name)
        stack = LocalStack(settings_for(folder, **ELSEWHERE), Silent())
        try:
            stack.up(apps=False)
            settings = load_settings(state_dir=folder, redis_url="", **ELSEWHERE)
            yield Installation(stack, settings)
        finally:
            stack.down()


def store_of(installation: Installation) -> Any:
    return redis.Redis.from_url(installation.settings.redis_url, socket_timeout=0.2)


def test_a_server_that_is_away_answers_nobody_and_comes_back_with_its_data(
    installation: Installation,
) -> None:
    store = store_of(installation)
    store.set("kept", "yes")
    process = installation.process("redis")
    with installation.away("redis"):
        assert not process.alive()
        with pytest.raises(redis.exceptions.ConnectionError):
            store.ping()
    assert store.get("kept") == b"yes"


def test_a_process_that_stands_still_goes_on_as_the_same(installation: Installation) -> None:
    store, process = store_of(installation), installation.process("redis")
    with installation.standing_still("redis"), pytest.raises(redis.exceptions.TimeoutError):
        store.ping()
    assert wait_until(store.ping, 10)
    assert installation.process("redis") == process


def test_a_killed_process_is_started_again(installation: Installation) -> None:
    process = installation.process("redis")
    FAULTS["kill-redis"].make(installation)
    assert wait_until(lambda: not process.alive(), 10)
    assert installation.process("redis") != process


def test_redis_is_emptied(installation: Installation) -> None:
    store = store_of(installation)
    store.set("kept", "yes")
    FAULTS["redis-emptied"].make(installation)
    assert store.dbsize() == 0


def test_redis_is_set_back_to_what_it_was_a_second_before(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = store_of(installation)
    monkeypatch.setattr(Installation, "wait", lambda *_: store.incr("waited"))
    FAULTS["redis-set-back"].make(installation)
    # It waits twice: what came in the second time is gone.
    assert store.get("waited") == b"1"


def test_a_full_disk_is_one_on_which_no_file_can_be_written() -> None:
    assert ("disk-full" in FAULTS) == (sys.platform == "linux")
    if sys.platform != "linux":
        return
    limits: list[int] = []
    with subprocess.Popen(["sleep", "600"]) as child:

        class Processes:
            def living(self, _: Iterable[Service]) -> list[ProcessId]:
                return [ProcessId(child.pid, 0.0)]

            def wait(self, _: float) -> None:
                limits.append(resource.prlimit(child.pid, resource.RLIMIT_FSIZE)[0])

        try:
            before = resource.prlimit(child.pid, resource.RLIMIT_FSIZE)
            FAULTS["disk-full"].make(Processes())  # type: ignore[arg-type]
            assert set(limits) == {0}
            assert resource.prlimit(child.pid, resource.RLIMIT_FSIZE) == before
        finally:
            child.kill()
