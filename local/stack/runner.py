"""Runner of one service: prepare, start, wait until ready, restart when it dies."""

import asyncio
import contextlib
import logging
import time
from asyncio.subprocess import Process
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from domain.errors import RetraceError
from host.processes import ProcessId, give_way, stop
from local.stack.child import start, tail
from local.stack.service import Service, StackContext

log = logging.getLogger(__name__)

NOT_READY = "is not ready after"

# So many deaths within so many seconds are a crash loop; fewer if it was never ready.
_LOOP_DEATHS, _LOOP_SECONDS = 5, 60.0
_FIRST_DEATHS = 2
_LONGEST_PAUSE = 30.0


@dataclass
class Condition:
    """State of a service: waiting, starting, running, crashing or stopped."""

    state: str = "waiting"
    process: ProcessId | None = None
    restarts: int = 0
    detail: str = ""


class Runner:
    """Keeps one service running until `close`. `changed` is called after each change."""

    def __init__(
        self, service: Service, context: StackContext, changed: Callable[[], None]
    ) -> None:
        self.service = service
        self.condition = Condition()
        self.ready = asyncio.Event()
        self._context = context
        self._changed = changed
        self._deaths: deque[float] = deque(maxlen=_LOOP_DEATHS)
        self._was_ready = False
        self._process: Process | None = None

    def to_json(self) -> dict[str, Any]:
        found = self.condition
        return {
            "kind": self.service.kind,
            "state": found.state,
            "url": self.service.url(self._context) or None,
            "process": found.process.to_json() if found.process else None,
            "pid": found.process.pid if found.process else None,
            "port": self.service.port(self._context),
            "restarts": found.restarts,
            "detail": found.detail,
            "log": str(self._context.folder.log(self.service.name)),
        }

    async def keep_running(self, dependencies: list[asyncio.Event]) -> None:
        for dependency in dependencies:
            await dependency.wait()
        while True:
            try:
                await self._run_once()
            except (RetraceError, OSError) as error:
                self._died(str(error))
            self.condition.restarts += 1
            await asyncio.sleep(self._pause())

    async def _run_once(self) -> None:
        """Start the process once; returns when it has died."""
        self._set_state("crashing" if self.condition.state == "crashing" else "starting")
        if self.service.prepare:
            await self.service.prepare(self._context)
        # Shielded: a cancellation must not lose a process that has just started.
        await asyncio.shield(asyncio.ensure_future(self._start()))
        assert self._process is not None
        becoming_ready = asyncio.create_task(self._await_ready())
        try:
            code = await self._process.wait()
        finally:
            becoming_ready.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await becoming_ready
        self.ready.clear()
        self._died(f"ended with {_ending(code)}")

    async def _start(self) -> None:
        self._process = await start(
            self.service.command(self._context),
            log=self._context.folder.log(self.service.name),
            environment=self.service.environment(self._context),
            account=self.service.account(self._context),
            folder=self._context.folder.root if self.service.kind == "app" else None,
            death_signal=self.service.stop_signal,
        )
        self.condition.process = ProcessId.of(self._process.pid)
        self._changed()
        if self.service.niceness:
            # From here: what runs as another user must not change its own. It may have ended.
            with contextlib.suppress(ProcessLookupError):
                await asyncio.to_thread(give_way, self.service.niceness, self._process.pid)

    async def _await_ready(self) -> None:
        deadline = time.monotonic() + self.service.start_seconds
        while not await self.service.ready(self._context):
            if time.monotonic() > deadline:
                self._set_state("starting", f"{NOT_READY} {self.service.start_seconds:.0f} s")
                deadline = float("inf")
            await asyncio.sleep(0.1)
        self._was_ready = True
        self._set_state("running")
        self.ready.set()

    def _died(self, why: str) -> None:
        self.condition.process = None
        self._process = None
        self._deaths.append(time.monotonic())
        end = tail(self._context.folder.log(self.service.name))
        log.warning("%s %s", self.service.name, why)
        self._set_state("crashing" if self._loops() else "starting", f"{why}\n{end}".strip())

    def _loops(self) -> bool:
        if not self._was_ready:
            return len(self._deaths) >= _FIRST_DEATHS
        recent = time.monotonic() - self._deaths[0] < _LOOP_SECONDS
        return len(self._deaths) == _LOOP_DEATHS and recent

    def _pause(self) -> float:
        recent = sum(time.monotonic() - death < _LOOP_SECONDS for death in self._deaths)
        return min(_LONGEST_PAUSE, 0.2 * 2**recent) if recent > 1 else 0.2

    def _set_state(self, state: str, detail: str = "") -> None:
        self.condition.state = state
        self.condition.detail = detail
        log.info("%s: %s", self.service.name, state)
        self._changed()

    async def close(self) -> None:
        """Stop the process as its service declares. Call it after `keep_running` is cancelled."""
        process, known = self._process, self.condition.process
        if process is not None and known is not None:
            waiting = asyncio.create_task(process.wait())
            service = self.service
            await asyncio.to_thread(stop, known, service.stop_signal, service.stop_seconds)
            await waiting
        self.condition.process = None
        self._set_state("stopped")


def _ending(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"code {code}"
