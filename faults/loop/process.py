"""Processes: what runs under one, dies with it, and stands still while it is paused."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, TypeVar
from zlib import crc32

T = TypeVar("T")


class Process:
    """One operating system process on a host. Callbacks know it by their context.

    `alive` ends with a kill: nothing of it runs from then on, not even what cleans up. `paused` is
    SIGSTOP: what becomes ready waits, and goes on at once when it ends. The loop sets both.
    `number` follows from its name; `lane` is what can run, in order.
    """

    __slots__ = ("alive", "host", "lane", "name", "number", "paused")

    def __init__(self, name: str, host: str) -> None:
        self.name, self.host = name, host
        self.number = crc32(name.encode())
        self.alive = True
        self.paused = False
        self.lane: deque[Any] = deque()

    def check(self) -> None:
        """Ports call it first. Raises DeadProcessError."""
        if not self.alive:
            raise DeadProcessError(self.name)

    def __repr__(self) -> str:
        return f"<{self.name} on {self.host}>"


class DeadProcessError(BaseException):
    """Raised in what is left of a killed process, which no handler of its code may catch."""


def within(process: Process | None, call: Callable[..., T], *args: Any) -> T:
    """Calls as the process does, None as a server does: what it schedules dies with it, or not."""
    token = RUNNING.set(process)
    try:
        return call(*args)
    finally:
        RUNNING.reset(token)


RUNNING: ContextVar[Process | None] = ContextVar("RUNNING", default=None)
"""The process whose code runs; None in servers and networks."""
