"""Declaration of a service of the local stack. services.py lists them all."""

import os
import signal
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from host.state_folder import StateFolder
from runtime.settings import CHECKOUT, Settings

# Variables that would change how a server of ours starts. Importing Feast sets the last one, to a
# folder that is removed when the process ends that imported it: `demo`, and not its stack.
_FOREIGN = (
    *("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS", "CLASSPATH", "LD_PRELOAD"),
    "PROMETHEUS_MULTIPROC_DIR",
)


@dataclass(frozen=True)
class StackContext:
    """What a service is started with. `settings` holds the URL of every server."""

    settings: Settings
    ports: Mapping[str, int]
    folder: StateFolder
    jars: Path

    @property
    def host(self) -> str:
        return "127.0.0.1"


Account = tuple[int, int]  # user id, group id


@dataclass(frozen=True)
class Service:
    """`replaced_by` is the settings field that makes this service external when it is set.

    `prepare` runs before every start; it may be repeated or interrupted at any point. `ready` is
    polled until it is true, for at most `start_seconds`. `account` is the user to run as, None for
    our own. `niceness` is how far it gives way to what decides.
    """

    name: str
    kind: Literal["server", "app"]
    command: Callable[[StackContext], list[str]]
    ready: Callable[[StackContext], Awaitable[bool]]
    url: Callable[[StackContext], str]
    port: Callable[[StackContext], int | None]
    replaced_by: str | None = None
    ports: tuple[str, ...] = ()
    needs_jars: bool = False
    depends_on: tuple[str, ...] = ()
    prepare: Callable[[StackContext], Awaitable[None]] | None = None
    account: Callable[[StackContext], Account | None] = lambda _: None
    extra_environment: Callable[[StackContext], Mapping[str, str]] = lambda _: {}
    niceness: int = 0
    stop_signal: signal.Signals = signal.SIGTERM
    start_seconds: float = 60
    stop_seconds: float = field(default=15)

    def environment(self, context: StackContext) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if name not in _FOREIGN and not name.startswith("PG")
        }
        path = os.pathsep.join(filter(None, (str(CHECKOUT), kept.get("PYTHONPATH"))))
        return (
            kept
            | context.settings.environment()
            | {
                "PYTHONPATH": path,
                # The folder it starts in has folders with the names of packages.
                "PYTHONSAFEPATH": "1",
                "PYTHONUNBUFFERED": "1",
                # Else importing Feast makes a folder in /tmp, for metrics that its own server alone
                # writes, and a process that is killed leaves it there.
                "PROMETHEUS_MULTIPROCESS_DIR": str(context.folder.root),
            }
            | dict(self.extra_environment(context))
        )
