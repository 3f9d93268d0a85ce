"""`retrace` as a user runs it: commands, the stack that they start, its API and its database."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import MappingProxyType
from typing import Any, TypeVar

import httpx
import psutil
import psycopg

from local.stack.status import read_status
from runtime.settings import SERVER_FIELDS, settings_from_environment

FOLLOWED = 0.1
ROOT = Path(__file__).resolve().parent.parent.parent
T = TypeVar("T")


@dataclass
class RunningStack:
    """A stack that is up; `alerts` are the bodies that its webhook got.

    `spans` are those of its traces; FOLLOWED of all transactions are followed.
    """

    state_dir: Path
    environment: dict[str, str]
    port: int
    alerts: list[dict[str, Any]] = field(default_factory=list)
    spans: list[dict[str, Any]] = field(default_factory=list)

    def retrace(
        self,
        *arguments: str,
        check: bool = True,
        variables: Mapping[str, str] = MappingProxyType({}),
    ) -> subprocess.CompletedProcess[str]:
        command = sys.executable, "-m", "cli.main", *arguments
        return self.run(*command, check=check, variables=variables)

    def run(
        self,
        *command: str,
        folder: Path = ROOT,
        check: bool = False,
        variables: Mapping[str, str] = MappingProxyType({}),
    ) -> subprocess.CompletedProcess[str]:
        """A command in a folder; `variables` are added to the environment of the stack."""
        done = subprocess.run(
            command,
            cwd=folder,
            env={**self.environment, **variables},
            capture_output=True,
            text=True,
            check=False,
        )
        assert not check or not done.returncode, f"{' '.join(command)}: {done.stderr}"
        return done

    def status(self) -> dict[str, Any]:
        """What `status --json` prints, without a process for each time that a probe asks."""
        local = settings_from_environment(
            state_dir=self.state_dir, **dict.fromkeys(SERVER_FIELDS, "")
        )
        return read_status(local).to_json(local)

    def up(self) -> None:
        done = self.retrace("up", "--port", str(self.port), check=False)
        assert done.returncode == 0, done.stderr

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=30)

    def pid(self, service: str) -> int:
        """0 between its end and its next start."""
        return int(self.status()["servers"][service]["pid"] or 0)

    def kill(self, service: str) -> None:
        """SIGKILL, as the kernel does when memory runs out; the supervisor starts it again."""
        os.kill(eventually(lambda: self.pid(service)), signal.SIGKILL)


def eventually(probe: Callable[[], T], within: float = 30.0) -> T:
    """The first truthy answer of `probe`; its last failure at the timeout."""
    deadline = time.monotonic() + within
    while True:
        try:
            found = probe()
            if found or time.monotonic() > deadline:
                assert found, f"still {found!r} after {within:g} s"
                return found
        except (AssertionError, httpx.HTTPError, OSError):
            if time.monotonic() > deadline:
                raise
        # The condition lies in other processes: nothing here can be awaited but time.
        time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@contextmanager
def start_stack() -> Iterator[RunningStack]:
    state_dir = Path(tempfile.mkdtemp(prefix="retrace-e2e-"))
    # PostgreSQL's user must be able to enter it where the tests run as root.
    state_dir.chmod(0o755)
    with _receiver() as (url, alerts, spans):
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("RETRACE_")
            and name not in ("KAFKA_BOOTSTRAP_SERVERS", "REDIS_URL", "DATABASE_URL", "MONGODB_URL")
        }
        environment |= {"RETRACE_STATE_DIR": str(state_dir), "RETRACE_WEBHOOK_URL": f"{url}/alerts"}
        environment |= {"OTEL_EXPORTER_OTLP_ENDPOINT": url, "RETRACE_TRACE_SHARE": str(FOLLOWED)}
        environment |= {"RETRACE_HEALTH_MINUTES": "0.2", "RETRACE_HEALTH_LEAST": "100"}
        environment |= {"RETRACE_HEALTH_COVERAGE": "0"}
        running = RunningStack(state_dir, environment, free_port(), alerts, spans)
        try:
            running.up()
            yield running
        finally:
            told = json.loads(running.retrace("status", "--json").stdout)
            pids = [s["pid"] for s in told["servers"].values() if s.get("pid")]
            running.retrace("down")
            assert not [pid for pid in pids if psutil.pid_exists(pid)]
            shutil.rmtree(state_dir, ignore_errors=True)


@contextmanager
def _receiver() -> Iterator[tuple[str, list[dict[str, Any]], list[dict[str, Any]]]]:
    """Of alerts at /alerts, and of OTLP at /v1/traces: each span with the service it is of."""
    got: list[dict[str, Any]] = []
    spans: list[dict[str, Any]] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if self.path == "/v1/traces":
                spans.extend(_spans_in(body))
            else:
                got.append(body)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", got, spans
    finally:
        server.shutdown()
        server.server_close()


def _spans_in(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for each in request["resourceSpans"]:
        about = {a["key"]: a["value"]["stringValue"] for a in each["resource"]["attributes"]}
        for scope in each["scopeSpans"]:
            yield from ({**span, "service": about["service.name"]} for span in scope["spans"])


# What curl names when it is told no content type.
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def score(client: httpx.Client, body: str) -> httpx.Response:
    return client.post("/score", content=body, headers=FORM)


def body(transaction_id: str, **fields: Any) -> str:
    return json.dumps(
        {"transaction_id": transaction_id, "amount": 25.5, "timestamp": "2026-01-05T10:00:00Z"}
        | fields
    )


def rows(stack: RunningStack, sql: str, *values: object) -> list[tuple[Any, ...]]:
    url = stack.status()["database_url"].replace("+psycopg", "")
    with psycopg.connect(url) as connection:
        return connection.execute(sql, values or None).fetchall()
