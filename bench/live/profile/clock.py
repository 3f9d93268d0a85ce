"""Clock of steps: wall and processor time of wrapped functions, each without those within it.

A coroutine's processor time is that between its resumptions and its suspensions, by the clock of
its thread: what other requests do meanwhile is theirs. What nobody asked for begins no record.
"""

import threading
import time
import types
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from functools import wraps
from typing import Any


@dataclass(slots=True)
class Times:
    """Nanoseconds of one step in one request."""

    wall: int = 0
    processor: int = 0


@dataclass(slots=True)
class Record:
    """One request: `began` by the monotonic clock of the machine, in nanoseconds."""

    began: int
    steps: dict[str, Times] = field(default_factory=dict)


@dataclass(slots=True)
class _Frame:
    step: str
    record: Record
    parent: "_Frame | None"
    began: int
    processor: int = 0
    wall_within: int = 0

    def end(self) -> None:
        took = time.monotonic_ns() - self.began
        times = self.record.steps.setdefault(self.step, Times())
        times.wall += took - self.wall_within
        times.processor += self.processor
        if self.parent is not None:
            self.parent.wall_within += took


class StepClock:
    """`records` are the finished requests, in the order in which they ended."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self._running = threading.local()

    def root(self, step: str, work: Callable[..., Any]) -> Callable[..., Any]:
        """As `awaited`, of the outermost: each of its calls is a record."""
        inner = self._driven

        @wraps(work)
        async def measured(*given: Any, **named: Any) -> Any:
            record = Record(time.monotonic_ns())
            try:
                frame = _Frame(step, record, None, record.began)
                return await inner(frame, work(*given, **named))
            finally:
                self.records.append(record)

        return measured

    def awaited(self, step: str, work: Callable[..., Any]) -> Callable[..., Any]:
        """A coroutine function, measured where a record is running."""
        inner = self._driven

        @wraps(work)
        async def measured(*given: Any, **named: Any) -> Any:
            if (frame := self._within(step)) is None:
                return await work(*given, **named)
            return await inner(frame, work(*given, **named))

        return measured

    def called(self, step: str, work: Callable[..., Any]) -> Callable[..., Any]:
        """A plain function, measured where a record is running."""

        @wraps(work)
        def measured(*given: Any, **named: Any) -> Any:
            if (frame := self._within(step)) is None:
                return work(*given, **named)
            spent = self._resume(frame)
            try:
                return work(*given, **named)
            finally:
                self._suspend(frame, spent)
                frame.end()

        return measured

    def _within(self, step: str) -> _Frame | None:
        parent: _Frame | None = getattr(self._running, "frame", None)
        if parent is None:
            return None
        return _Frame(step, parent.record, parent, time.monotonic_ns())

    @types.coroutine
    def _driven(self, frame: _Frame, coroutine: Any) -> Generator[Any, Any, Any]:
        """Passes on what the coroutine waits for, and what it is woken with."""
        wake, argument = coroutine.send, None
        try:
            while True:
                spent = self._resume(frame)
                try:
                    waits_for = wake(argument)
                except StopIteration as end:
                    return end.value
                finally:
                    self._suspend(frame, spent)
                try:
                    wake, argument = coroutine.send, (yield waits_for)
                except GeneratorExit:
                    coroutine.close()
                    raise
                except BaseException as error:
                    wake, argument = coroutine.throw, error
        finally:
            frame.end()

    def _resume(self, frame: _Frame) -> int:
        self._running.frame = frame
        return time.thread_time_ns()

    def _suspend(self, frame: _Frame, since: int) -> None:
        taken = time.thread_time_ns() - since
        frame.processor += taken
        if frame.parent is not None:
            frame.parent.processor -= taken
        self._running.frame = frame.parent
