"""Installation that faults are put into: a stack of its own, whose processes are met by id."""

import asyncio
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from host.folders import whole_folder
from host.ports import free_ports
from host.processes import ProcessId, family
from host.state_folder import StateFolder, write_json
from local.demo.subprocesses import json_output_of
from local.stack.control import LocalStack, Progress
from local.stack.errors import StackError
from local.stack.probes import redis_said
from local.stack.service import Service
from local.stack.services import SERVERS
from local.stack.status import read_status, recorded_processes
from runtime.processes.prepare import prepare
from runtime.settings import SERVER_FIELDS, Settings, load_settings, settings_from_environment

_LOOK_SECONDS = 0.1


@dataclass(slots=True)
class Installation:
    """Only processes that its own supervisor has started are ever touched.

    `imported` are the transaction ids that an import has said to be recorded.
    """

    stack: LocalStack
    settings: Settings
    imported: list[str] = field(default_factory=list)

    def kill(self, name: str) -> None:
        """SIGKILL to the leader; the supervisor starts it again."""
        os.kill(self.process(name).pid, signal.SIGKILL)

    @contextmanager
    def standing_still(self, name: str) -> Iterator[None]:
        """SIGSTOP to the process and all that it has started; they go on afterwards."""
        members = family(self.process(name))
        try:
            _send(members, signal.SIGSTOP)
            yield
        finally:
            _send(members, signal.SIGCONT)

    @contextmanager
    def away(self, *names: str) -> Iterator[None]:
        """These services are stopped, and nothing answers in their place."""
        self.stack.halt(names)
        yield
        self.stack.resume(names)

    def process(self, name: str) -> ProcessId:
        """The process of a service, once there is one."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            found = dict(recorded_processes(self.stack.settings)).get(name)
            if found is not None and found.alive():
                return found
            self.wait(_LOOK_SECONDS)
        raise StackError(f"{name} was not started again: see {self.stack.settings.state_dir}/logs")

    def living(self, services: Iterable[Service]) -> list[ProcessId]:
        """Those that have a process at this moment."""
        found = dict(recorded_processes(self.stack.settings))
        mine = [found[each.name] for each in services if each.name in found]
        return [process for process in mine if process.alive()]

    def not_running(self) -> list[str]:
        """What is wanted and is not ready, or whose process has just died."""
        status = read_status(self.stack.settings)
        alive = {name for name, each in recorded_processes(self.stack.settings) if each.alive()}
        return [
            f"{each.name} is {each.state if each.name in alive else 'not running'}"
            for each in status.services
            if each.state != "running" or each.name not in alive
        ]

    def empty_redis(self) -> None:
        """Raises StackError where it does not say that it is empty."""
        at = urlsplit(self.settings.redis_url)
        said = asyncio.run(redis_said(at.hostname or "", at.port or 0, "FLUSHALL"))
        if not said.startswith(b"+OK"):
            raise StackError(f"redis at {at.hostname}:{at.port} was not emptied: it said {said!r}")

    def retrace(self, *arguments: str) -> dict[str, object]:
        """What another command of this installation prints with --json."""
        return json_output_of(arguments, self.settings)

    def wait(self, seconds: float) -> None:
        """For what lasts a time by its nature; the condition lies in no process of ours."""
        time.sleep(seconds)


@contextmanager
def open_installation(progress: Progress, webhook_url: str, keep: bool) -> Iterator[Installation]:
    """Started, in a state folder and on ports of its own; at the end all of it is stopped.

    With `keep` the folder stays, for its logs. Raises StackError.
    """
    folder = Path(tempfile.mkdtemp(prefix="retrace-chaos-"))
    # PostgreSQL's user must be able to enter it where root runs this.
    folder.chmod(0o755)
    names = [port for server in SERVERS for port in server.ports]
    api_port, *others = free_ports(1 + len(names))
    write_json(_created(folder).ports, dict(zip(names, others, strict=True)))
    given = {
        "state_dir": folder,
        "api_port": api_port,
        "api_base_url": "",
        "webhook_url": webhook_url,
        "archive": "",
        "models_url": "",
        **dict.fromkeys(SERVER_FIELDS, ""),
    }
    settings = settings_from_environment(**given)
    stack = LocalStack(settings, progress, owner=os.getpid())
    # The default model is the same for every run of one version.
    models = settings.cache_dir / "chaos-models"
    try:
        if models.exists():
            shutil.copytree(models, settings.models_dir)
        stack.up(lambda: prepare(load_settings(**given), _step(progress)))
        with whole_folder(models) as draft:
            shutil.copytree(settings.models_dir, draft, dirs_exist_ok=True)
        yield Installation(stack, load_settings(**given))
    finally:
        stack.down()
        if keep:
            progress.say(f"The state folder is kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


def _created(root: Path) -> StateFolder:
    folder = StateFolder(root)
    folder.create()
    return folder


def _step(progress: Progress) -> Callable[[str], None]:
    return lambda name: progress.say(f"{name}: preparing")


def _send(members: Iterable[ProcessId], how: signal.Signals) -> None:
    for member in members:
        if member.alive():
            os.kill(member.pid, how)
