"""Parts of the local stack that need no server."""

import asyncio
import errno
import os
import signal
import socket
import subprocess
import sys
import uuid
from dataclasses import replace
from pathlib import Path
from unittest.mock import AsyncMock, Mock

import pytest

from host.ports import holder_of, is_free
from host.processes import ProcessId, family, stop, wait_until
from host.state_folder import StateFolder, read_json, write_json
from local.stack.child import rotate, tail
from local.stack.kept_ports import kept_ports
from local.stack.runner import Runner
from local.stack.servers.kafka import new_cluster_id
from local.stack.service import StackContext
from local.stack.services import SERVERS, SERVICES
from local.stack.supervisor import Supervisor
from runtime.settings import Settings, variable_of


@pytest.fixture
def folder(tmp_path: Path) -> StateFolder:
    state = StateFolder(tmp_path)
    state.create()
    return state


def test_the_table_of_services_is_consistent() -> None:
    names = [service.name for service in SERVICES]
    assert len(set(names)) == len(names)
    for position, service in enumerate(SERVICES):
        assert set(service.depends_on) <= set(names[:position]), service.name
    assert all(server.replaced_by in Settings.model_fields for server in SERVERS)
    assert variable_of("kafka_bootstrap_servers") == "KAFKA_BOOTSTRAP_SERVERS"


def test_services_get_no_folder_that_goes_with_another_process_and_make_none(
    folder: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    # They name a folder that goes with the process that imported it, and a service stays.
    look = "import os; before = {*os.environ}; import feast; print(*{*os.environ} - before)"
    # Another test of this process may have imported it.
    clean = {name: value for name, value in os.environ.items() if "PROMETHEUS" not in name}
    told = subprocess.run(
        [sys.executable, "-c", look], env=clean, capture_output=True, text=True, check=True
    )
    names = told.stdout.split()
    assert names
    for name in names:
        monkeypatch.setenv(name, "/gone")
    context = StackContext(Settings(), {}, folder, Path("jars"))
    plain = replace(SERVICES[0], extra_environment=lambda _: {})
    given = plain.environment(context)
    assert "/gone" not in {given.get(name) for name in names}
    # With a folder that stays Feast makes none of its own.
    made = "import tempfile; tempfile.mkdtemp = None; import feast"
    subprocess.run([sys.executable, "-c", made], env=given, check=True)


async def test_a_disk_that_is_full_ends_no_service(
    folder: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    sleeps = replace(
        SERVERS[0],
        command=lambda _: [sys.executable, "-c", "import time; time.sleep(60)"],
        ready=AsyncMock(return_value=True),
        prepare=None,
        account=lambda _: None,
        extra_environment=lambda _: {},
    )
    context = StackContext(Settings(), dict.fromkeys(sleeps.ports, 1), folder, Path("jars"))
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    monkeypatch.setattr("local.stack.supervisor.write_json", Mock(side_effect=full))
    runner = Runner(sleeps, context, Supervisor(Settings(), context, None)._record)
    keeping = asyncio.create_task(runner.keep_running([]))
    async with asyncio.timeout(60):
        await runner.ready.wait()
    assert (runner.condition.state, runner.condition.restarts) == ("running", 0)
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)
    await runner.close()


def test_a_process_with_a_reused_pid_is_another_process() -> None:
    me = ProcessId.of(os.getpid())
    assert me is not None
    assert me.alive()
    assert not ProcessId(me.pid, me.created - 60).alive()
    assert ProcessId.from_json(me.to_json()) == me


def test_stopping_a_process_ends_what_it_started() -> None:
    script = "import subprocess, time; subprocess.Popen(['sleep', '600']); time.sleep(600)"
    child = subprocess.Popen([sys.executable, "-c", script], start_new_session=True)
    leader = ProcessId.of(child.pid)
    assert leader is not None
    assert wait_until(lambda: len(family(leader)) == 2, 10)
    members = family(leader)
    stop(leader, signal.SIGTERM, 5)
    child.wait()
    assert not any(member.alive() for member in members)


def test_a_process_that_ignores_its_stop_signal_is_killed() -> None:
    script = "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True); " \
        "time.sleep(600)"  # fmt: skip
    child = subprocess.Popen(
        [sys.executable, "-c", script], start_new_session=True, stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    child.stdout.read(1)
    leader = ProcessId.of(child.pid)
    assert leader is not None
    stop(leader, signal.SIGTERM, 0.2)
    assert child.wait() == -signal.SIGKILL
    child.stdout.close()


API = 8000


def test_ports_are_kept_unless_somebody_took_them(folder: StateFolder) -> None:
    before = kept_ports(folder, ["kafka", "redis"], API)
    assert kept_ports(folder, ["kafka", "redis"], API) == before
    with socket.create_server(("127.0.0.1", before["redis"])):
        assert not is_free(before["redis"])
        after = kept_ports(folder, ["kafka", "redis"], API)
    assert after["kafka"] == before["kafka"]
    assert after["redis"] != before["redis"]
    # Nobody listens there yet.
    again = kept_ports(folder, ["kafka", "redis"], after["kafka"])
    assert again["kafka"] != after["kafka"]
    assert again["redis"] == after["redis"]


def test_the_holder_of_a_port_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        assert holder_of(port).startswith(f"pid {os.getpid()} (")


def test_a_half_written_record_counts_as_none(folder: StateFolder) -> None:
    write_json(folder.record, {"services": {}})
    folder.record.write_text(folder.record.read_text()[:5])
    assert read_json(folder.record) == {}


def test_a_log_that_grew_too_large_is_moved_aside_under_its_writer(tmp_path: Path) -> None:
    log = tmp_path / "kafka.log"
    with log.open("ab", buffering=0) as writer:
        writer.write(b"old\n" * 100)
        rotate(log, limit=200)
        writer.write(b"new\n")
    assert log.read_bytes() == b"new\n"
    assert (tmp_path / "kafka.log.1").read_bytes() == b"old\n" * 100
    assert tail(log) == "new"


def test_help_loads_nothing_heavy() -> None:
    script = (
        "import sys; from cli import main; "
        "heavy = {'tensorflow', 'feast', 'confluent_kafka', 'jgo', 'faust', 'pandas'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert told.stdout.strip() == "[]", told.stderr


def test_the_id_of_a_kafka_cluster_is_never_taken_for_an_option(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawn = iter([uuid.UUID(bytes=b"\xf8" + bytes(15)), uuid.UUID(bytes=bytes(16))])
    monkeypatch.setattr(uuid, "uuid4", lambda: next(drawn))
    assert new_cluster_id() == "A" * 22
