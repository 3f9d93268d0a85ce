"""Supervisor: the process that starts and stops the services of a stack (services.py).

It starts what run/wanted.json names and stops what it names no longer, writes run/stack.json at
each change, and at SIGTERM stops everything in reverse order. Nothing else writes run/stack.json.
"""

import argparse
import asyncio
import contextlib
import logging
import os
import signal
from pathlib import Path
from typing import Any

from host.processes import ProcessId
from host.state_folder import StateFolder, read_json, write_json
from local.stack.child import rotate
from local.stack.kept_ports import kept_ports
from local.stack.runner import Runner
from local.stack.service import Service, StackContext
from local.stack.services import SERVERS, SERVICES, is_external, with_local_urls
from runtime.settings import SERVER_FIELDS, Settings, settings_from_environment

log = logging.getLogger(__name__)
_ROTATE_SECONDS = 10.0
_LOOK_SECONDS = 0.1


class Supervisor:
    """One per state folder; see `main` for how it is started."""

    def __init__(self, given: Settings, context: StackContext, owner: ProcessId | None) -> None:
        self._given = given
        self._context = context
        self._owner = owner
        self._me = ProcessId.of(os.getpid())
        self._runners: dict[str, Runner] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        for wanted in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(wanted, self._stopping.set)
        # Without a record nobody would find us: here a full disk is an error.
        self._write("started")
        rotating = asyncio.create_task(self._rotate())
        try:
            while not self._stopping.is_set():
                await self._follow_what_is_wanted()
                if self._owner is not None and not self._owner.alive():
                    break
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), _LOOK_SECONDS)
        finally:
            rotating.cancel()
            await self._stop_everything()

    async def _follow_what_is_wanted(self) -> None:
        names = read_json(self._context.folder.wanted).get("services", [])
        for name in [name for name in reversed(self._runners) if name not in names]:
            await self._stop(name)
            del self._runners[name], self._tasks[name]
            self._record()
        for service in SERVICES:
            if service.name in names and service.name not in self._tasks:
                self._launch(service)

    def _launch(self, service: Service) -> None:
        if is_external(service, self._given):
            return
        runner = Runner(service, self._context, self._record)
        self._runners[service.name] = runner
        needed = [self._runners[name].ready for name in service.depends_on if name in self._runners]
        self._tasks[service.name] = asyncio.create_task(runner.keep_running(needed))

    async def _stop_everything(self) -> None:
        self._record("stopping")
        for name in reversed(self._runners):
            await self._stop(name)
        self._context.folder.record.unlink(missing_ok=True)

    async def _stop(self, name: str) -> None:
        self._tasks[name].cancel()
        await asyncio.gather(self._tasks[name], return_exceptions=True)
        await self._runners[name].close()

    async def _rotate(self) -> None:
        while True:
            await asyncio.sleep(_ROTATE_SECONDS)
            for name in ("supervisor", *self._runners):
                rotate(self._context.folder.log(name))

    def _record(self, state: str = "started") -> None:
        """What runs, for others to read. A full disk must not end what keeps services."""
        try:
            self._write(state)
        except OSError as error:
            log.error("cannot record what runs: %s", error)

    def _write(self, state: str) -> None:
        content: dict[str, Any] = {
            "supervisor": self._me.to_json() if self._me else None,
            "state": state,
            "published": {
                name: getattr(self._context.settings, name) for name in (*SERVER_FIELDS, "api_port")
            },
            "external": [server.name for server in SERVERS if is_external(server, self._given)],
            "services": {name: runner.to_json() for name, runner in self._runners.items()},
        }
        write_json(self._context.folder.record, content)


def context_for(given: Settings, jars: Path) -> StackContext:
    """What services are started with: the ports and the URL of every server."""
    folder = StateFolder(given.state_dir)
    names = [name for each in SERVICES if not is_external(each, given) for name in each.ports]
    return with_local_urls(
        StackContext(given, kept_ports(folder, names, given.api_port), folder, jars)
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--jars", type=Path, required=True)
    parser.add_argument("--owner", type=int, help="pid: stop everything when it ends")
    parser.add_argument("--external", default="", help="settings fields that replace servers")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    local = set(SERVER_FIELDS) - set(arguments.external.split(","))
    given = settings_from_environment(**dict.fromkeys(local, ""))
    owner = ProcessId.of(arguments.owner) if arguments.owner else None
    context = context_for(given, arguments.jars)
    asyncio.run(Supervisor(given, context, owner).run())


if __name__ == "__main__":
    main()
