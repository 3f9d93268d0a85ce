"""Failures of the local stack are named clearly and leave no process behind.

Where one server is enough the others are declared external, and so are not started.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from domain.errors import IntegrityError, SettingsError
from host.processes import ProcessId, wait_until
from host.state_folder import StateFolder, read_json
from local.stack.control import LocalStack, Silent
from local.stack.errors import StackError
from local.stack.servers.jars import ensure, locked
from local.stack.status import read_status, recorded_processes
from runtime.settings import Settings, load_settings, settings_from_environment

ELSEWHERE = {
    "kafka_bootstrap_servers": "kafka.example:9092",
    "database_url": "postgresql+psycopg://me:secret@db.example/retrace",
    "mongodb_url": "mongodb://mongo.example/retrace",
}


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="retrace-") as name:
        # Where PostgreSQL is started too, its user must be able to enter: else its data would lie
        # outside of this folder, and stay.
        Path(name).chmod(0o755)
        yield Path(name)
        LocalStack(only_redis(Path(name)), Silent()).down()


def only_redis(folder: Path, **given: object) -> Settings:
    return settings_from_environment(**{"state_dir": folder, "redis_url": "", **ELSEWHERE, **given})


def test_a_url_in_the_settings_replaces_the_server(folder: Path) -> None:
    settings = only_redis(folder)
    status = LocalStack(settings, Silent()).up(apps=False)
    states = {each.name: each.state for each in status.services if each.kind == "server"}
    assert states == dict.fromkeys(("kafka", "postgres", "mongodb"), "external") | {
        "redis": "running"
    }
    assert [name for name, _ in recorded_processes(settings)] == ["redis"]
    shown = status.to_json(settings)
    assert shown["kafka"] == "kafka.example:9092"
    assert redis.Redis.from_url(shown["redis_url"]).ping()


def test_clients_find_the_running_stack_and_are_told_when_none_runs(folder: Path) -> None:
    with pytest.raises(SettingsError, match="REDIS_URL is not set and no local stack runs"):
        load_settings(state_dir=folder, redis_url="", **ELSEWHERE)
    stack = LocalStack(only_redis(folder), Silent())
    stack.up(apps=False)
    found = load_settings(state_dir=folder, redis_url="", **ELSEWHERE)
    assert redis.Redis.from_url(found.redis_url).ping()


def test_the_stack_ends_with_its_owner(folder: Path) -> None:
    owner = subprocess.Popen(["sleep", "600"])
    settings = only_redis(folder)
    LocalStack(settings, Silent(), owner=owner.pid).up(apps=False)
    processes = [process for _, process in recorded_processes(settings)]
    owner.kill()
    owner.wait()
    assert wait_until(lambda: not any(process.alive() for process in processes), 20)


def test_a_taken_port_names_its_holder_before_anything_is_started(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        stack = LocalStack(only_redis(folder, api_port=port), Silent())
        with pytest.raises(StackError, match=rf"port {port} is taken by pid {os.getpid()} \("):
            stack.up()
    assert not StateFolder(folder).record.exists()


def test_another_port_than_the_running_stacks_is_refused(folder: Path) -> None:
    LocalStack(only_redis(folder, api_port=8001), Silent()).up(apps=False)
    with pytest.raises(StackError, match=r"started for port 8001 .* not 8002: run .* down"):
        LocalStack(only_redis(folder, api_port=8002), Silent()).up(apps=False)


def test_too_little_disk_is_told_before_anything_is_started(folder: Path) -> None:
    stack = LocalStack(only_redis(folder, min_free_mb=10**9), Silent())
    with pytest.raises(StackError, match=r"not enough disk: .* MB free"):
        stack.up(apps=False)
    assert not StateFolder(folder).record.exists()


def test_an_altered_jar_is_named_removed_and_fetched_anew(folder: Path) -> None:
    def silent(_done: int, _of: int) -> None: ...

    whole = ensure(settings_from_environment().cache_dir, silent)
    jars = folder / "cache" / "jars"
    jars.mkdir(parents=True)
    for jar in whole.glob("*.jar"):
        (jars / jar.name).symlink_to(jar)
    altered = jars / min(locked(), key=lambda jar: (whole / jar.filename).stat().st_size).filename
    altered.unlink()
    altered.write_bytes(b"cut off")
    with pytest.raises(IntegrityError, match=f"{altered.name} is incomplete or altered"):
        ensure(folder / "cache", silent)
    ensure(folder / "cache", silent)
    assert altered.read_bytes() == (whole / altered.name).read_bytes()


def test_a_server_that_cannot_start_is_reported_with_its_log(folder: Path) -> None:
    settings = only_redis(folder)
    (folder / "redis").mkdir()
    (folder / "redis" / "appendonlydir").write_text("in the way")
    with pytest.raises(StackError, match=r"redis ended with code 1[\s\S]*Its log: .*redis\.log"):
        LocalStack(settings, Silent()).up(apps=False)
    assert read_status(settings).supervisor is None


def test_an_interrupted_up_leaves_nothing_running(folder: Path) -> None:
    record = StateFolder(folder).record
    command = [sys.executable, "-m", "cli.main", "up", "--servers-only"]
    environment = {**os.environ, "RETRACE_STATE_DIR": str(folder)}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE) as up:
        assert wait_until(lambda: bool(read_json(record).get("services")), 60)
        started = read_json(record)
        up.send_signal(signal.SIGINT)
        _, told = up.communicate(timeout=60)
    assert up.returncode == 130, told
    supervisor = ProcessId.from_json(started["supervisor"])
    assert supervisor is not None
    assert not supervisor.alive()
    assert not record.exists()


def test_status_prints_one_object_also_when_nothing_runs(folder: Path) -> None:
    environment = {**os.environ, "RETRACE_STATE_DIR": str(folder)}
    told = subprocess.run(
        [sys.executable, "-m", "cli.main", "status", "--json"],
        env=environment,
        capture_output=True,
        check=True,
    )
    shown = json.loads(told.stdout)
    assert shown["state"] == "stopped"
    assert {"servers", "api_url", "kafka", "redis_url", "database_url", "mongodb_url"} <= {*shown}
