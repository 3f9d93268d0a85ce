"""Start and stop a stack. Its processes are children of the supervisor (supervisor.py)."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from pydantic import SecretStr

from host.ports import holder_of, is_free
from host.processes import ProcessId, stop
from host.state_folder import StateFolder, command_lock, write_json
from local.stack.child import tail
from local.stack.errors import StackError
from local.stack.runner import NOT_READY
from local.stack.servers.jars import ensure
from local.stack.service import Service
from local.stack.services import APPS, SERVERS, SERVICES, is_external
from local.stack.status import StackStatus, read_status, recorded_processes
from runtime.settings import CHECKOUT, SERVER_FIELDS, Settings, variable_of

_LOOK_SECONDS = 0.1


class Progress(Protocol):
    """Shows what happens."""

    def say(self, text: str) -> None: ...
    def jars(self, done: int, of: int) -> None: ...
    def services(self, status: StackStatus, names: Iterable[str]) -> None: ...


class Silent:
    """Progress that shows nothing."""

    def say(self, text: str) -> None: ...
    def jars(self, done: int, of: int) -> None: ...
    def services(self, status: StackStatus, names: Iterable[str]) -> None: ...


@dataclass(frozen=True)
class LocalStack:
    """The stack of one state folder.

    `up` can be repeated. If it started the stack and then fails or is interrupted, it stops all
    that it started. With `owner` set, the stack ends when that process ends.
    """

    settings: Settings
    progress: Progress
    owner: int | None = None

    @property
    def _folder(self) -> StateFolder:
        return StateFolder(self.settings.state_dir)

    def up(self, between: Callable[[], None] | None = None, *, apps: bool = True) -> StackStatus:
        """Start the servers, call `between`, start the API and workers; return when all answer."""
        self._make_folder()
        with command_lock(self._folder, self._waiting):
            self.stop_orphans()
            before = read_status(self.settings)
            self._check_same_port(before)
            if before.state == "running" and (not apps or _all_wanted(before)):
                return before
            self._check_room()
            if apps and before.named("api").state == "stopped":
                self._check_api_port()
            try:
                if before.supervisor is None:
                    self._start_supervisor()
                self._want(SERVERS)
                if apps:
                    if between:
                        between()
                    self._want(APPS)
            except BaseException:
                if before.supervisor is None and read_status(self.settings).supervisor:
                    self.progress.say("Stopping what was started")
                    self._stop_supervisor()
                raise
            return read_status(self.settings)

    def down(self) -> bool:
        """Stop everything, the last started first. False if nothing ran."""
        if not self._folder.record.exists():
            return False
        with command_lock(self._folder, self._waiting):
            stopped = self._stop_supervisor()
            return bool(self.stop_orphans()) or stopped

    def halt(self, names: Iterable[str]) -> None:
        """Stop these services of a running stack, and wait until they are; `resume` goes on."""
        left = read_status(self.settings).wanted - set(names)
        write_json(self._folder.wanted, {"services": sorted(left)})
        self._await(lambda: not any(self._runs(name) for name in names), None)

    def resume(self, names: Iterable[str]) -> None:
        """Start halted services again, and wait until they answer."""
        self._want([service for service in SERVICES if service.name in names])

    def _runs(self, name: str) -> bool:
        return read_status(self.settings).named(name).state != "stopped"

    def stop_orphans(self) -> list[str]:
        """Stop what a killed supervisor left running. Returns the names."""
        if read_status(self.settings).supervisor is not None:
            return []
        how = {service.name: service for service in SERVICES}
        left = []
        for name, process in reversed(recorded_processes(self.settings)):
            if process.alive():
                left.append(name)
            service = how.get(name)
            grace = service.stop_seconds if service else 15.0
            stop(process, service.stop_signal if service else signal.SIGTERM, grace)
        self._folder.record.unlink(missing_ok=True)
        if left:
            self.progress.say(
                f"The supervisor was killed. Stopped what it left running: {', '.join(left)}"
            )
        return left

    def _make_folder(self) -> None:
        try:
            self._folder.create()
            probe = self._folder.root / "run" / f"probe.{os.getpid()}"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise StackError(
                f"the state folder {self.settings.state_dir} cannot be written "
                f"({error.strerror}): set RETRACE_STATE_DIR to a folder that you may write"
            ) from error

    def _check_room(self) -> None:
        free = shutil.disk_usage(self.settings.state_dir).free // 2**20
        if free < self.settings.min_free_mb:
            raise StackError(
                f"not enough disk: {self.settings.state_dir} has {free} MB free, "
                f"{self.settings.min_free_mb} MB are needed. Free some, or set "
                f"RETRACE_STATE_DIR to another disk ({variable_of('min_free_mb')} sets the limit)."
            )

    def _check_api_port(self) -> None:
        port = self.settings.api_port
        if not is_free(port, self.settings.api_host):
            raise StackError(
                f"port {port} is taken by {holder_of(port)}: stop it, or choose another port "
                "with `--port` or RETRACE_API_PORT"
            )

    def _check_same_port(self, before: StackStatus) -> None:
        asked, given = self.settings.api_port, before.published.get("api_port")
        if given and "api_port" in self.settings.model_fields_set and asked != given:
            raise StackError(
                f"the stack was started for port {given} of the API, not {asked}: "
                "run `./retrace down` first; data stays"
            )

    def _start_supervisor(self) -> None:
        local = [each for each in SERVERS if not is_external(each, self.settings)]
        jars = self.settings.cache_dir / "jars"
        if any(each.needs_jars for each in local):
            jars = ensure(self.settings.cache_dir, self.progress.jars)
        self._folder.wanted.unlink(missing_ok=True)
        command = [sys.executable, "-m", "local.stack.supervisor", "--jars", str(jars)]
        external = [name for name in SERVER_FIELDS if getattr(self.settings, name)]
        if external:
            command += ["--external", ",".join(external)]
        if self.owner is not None:
            command += ["--owner", str(self.owner)]
        with self._folder.log("supervisor").open("ab") as output:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=self._environment(),
                cwd=self.settings.state_dir,
                start_new_session=True,
            )
        self._await(lambda: self._supervisor_started(process), 30)

    def _supervisor_started(self, process: subprocess.Popen[bytes]) -> bool:
        if process.poll() is not None:
            raise StackError(f"the supervisor ended:\n{tail(self._folder.log('supervisor'))}")
        return read_status(self.settings).supervisor is not None

    def _environment(self) -> dict[str, str]:
        given = {
            variable_of(name): _text(getattr(self.settings, name))
            for name in self.settings.model_fields_set
        }
        path = os.pathsep.join(filter(None, (str(CHECKOUT), os.environ.get("PYTHONPATH"))))
        return {
            **os.environ,
            **self.settings.environment(),
            **given,
            "PYTHONPATH": path,
            "PYTHONSAFEPATH": "1",
        }

    def _want(self, services: Iterable[Service]) -> None:
        names = [service.name for service in services]
        already = read_status(self.settings).wanted
        write_json(self._folder.wanted, {"services": [*sorted(already), *names]})
        self._await(lambda: self._all_ready(names), None)

    def _all_ready(self, names: list[str]) -> bool:
        status = read_status(self.settings)
        if status.supervisor is None:
            log = self._folder.log("supervisor")
            raise StackError(f"the supervisor has ended. The end of {log}:\n{tail(log)}")
        self.progress.services(status, names)
        found = [status.named(name) for name in names]
        for each in found:
            if each.state == "crashing" or each.detail.startswith(NOT_READY):
                raise StackError(f"{each.name} {each.detail}\nIts log: {each.log}")
        return all(each.state in ("running", "external") for each in found)

    def _stop_supervisor(self) -> bool:
        supervisor = read_status(self.settings).supervisor
        if supervisor is None:
            return False
        grace = 10 + sum(service.stop_seconds for service in SERVICES)
        children = recorded_processes(self.settings)
        os.kill(supervisor.pid, signal.SIGTERM)
        self._await(lambda: self._has_stopped(supervisor, children), grace, give_up=True)
        stop(supervisor, signal.SIGKILL, 5)
        for _, process in children:
            stop(process, signal.SIGKILL, 5)
        return True

    def _has_stopped(self, supervisor: ProcessId, children: list[tuple[str, ProcessId]]) -> bool:
        status = read_status(self.settings)
        ended = [name for name, _ in children if status.named(name).state == "stopped"]
        self.progress.services(status, ended)
        return not supervisor.alive()

    def _await(
        self, condition: Callable[[], bool], seconds: float | None, *, give_up: bool = False
    ) -> None:
        deadline = time.monotonic() + seconds if seconds else float("inf")
        while not condition():
            if time.monotonic() > deadline:
                if give_up:
                    return
                log = self._folder.log("supervisor")
                raise StackError(f"the supervisor does not answer; see {log}")
            time.sleep(_LOOK_SECONDS)

    def _waiting(self) -> None:
        self.progress.say("Waiting for another `up` or `down` of this state folder")


def _text(value: object) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


def _all_wanted(status: StackStatus) -> bool:
    return {service.name for service in APPS} <= status.wanted
