"""Port of engines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

Task = TypeVar("Task")
Made = TypeVar("Made")
Done = Callable[[int], None]
"""Called with the number of tasks that have ended."""


class Engine(Protocol):
    """Carries out tasks that know nothing of each other, and meet in files of one folder."""

    @property
    def workers(self) -> int:
        """How many tasks are carried out at a time."""
        ...

    @property
    def worth_it(self) -> int:
        """Records below which this process is done before its workers have started."""
        ...

    def run(self, job: Callable[[Task], Made], tasks: Sequence[Task], done: Done) -> list[Made]:
        """Outcomes in the order of `tasks`. A task may be begun again where a worker died: to do it
        twice is to do it once. Raises what the first task that fails raises, and UnavailableError
        where workers die."""
        ...
