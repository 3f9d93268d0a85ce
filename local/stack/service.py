"""Owns what a service of the local stack is: the declaration. The table is in services.py."""

from __future__ import annotations

import os
import signal
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from host.state_folder import StateFolder
from runtime.settings import CHECKOUT, Settings

# Variables that would change how a server of ours starts.
_FOREIGN = ("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS", "CLASSPATH", "LD_PRELOAD")


@dataclass(frozen=True)
class Context:
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

    `prepare` is run before every start and must be harmless when repeated or interrupted.
    `ready` is asked until it says yes, `start_seconds` at most. `account` names the user to run
    as where that is not ours.
    """

    name: str
    kind: Literal["server", "app"]
    command: Callable[[Context], list[str]]
    ready: Callable[[Context], Awaitable[bool]]
    url: Callable[[Context], str]
    port: Callable[[Context], int | None]
    replaced_by: str | None = None
    ports: tuple[str, ...] = ()
    needs_jars: bool = False
    depends_on: tuple[str, ...] = ()
    prepare: Callable[[Context], Awaitable[None]] | None = None
    account: Callable[[Context], Account | None] = lambda _: None
    extra_environment: Callable[[Context], Mapping[str, str]] = lambda _: {}
    stop_signal: signal.Signals = signal.SIGTERM
    start_seconds: float = 60
    stop_seconds: float = field(default=15)

    def environment(self, context: Context) -> dict[str, str]:
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
                # The folder it is started in holds folders named like packages.
                "PYTHONSAFEPATH": "1",
                "PYTHONUNBUFFERED": "1",
            }
            | dict(self.extra_environment(context))
        )
