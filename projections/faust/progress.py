"""Progress of a worker: what its handlers tell of, and who looks on."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from eventlog.batch import Batch
from projections.faust.membership import TopicPartition


class Observer(Protocol):
    """Told in the event loop what a worker does; it must neither wait nor raise."""

    def handled(self, batches: Sequence[Batch], seconds: float) -> None:
        """These batches of one topic, fetched together, were handled; it took so long."""
        ...

    def assigned(self) -> None:
        """It has all partitions that it was given."""
        ...

    def waited(self) -> None:
        """A server that a step needs was away; the step is tried again."""
        ...

    def set_aside(self) -> None:
        """The dead-letter topic has acknowledged a record."""
        ...


class Nobody:
    """Looks away: what a worker outside of a process of ours is given."""

    def handled(self, batches: Sequence[Batch], seconds: float) -> None:
        pass

    def assigned(self) -> None:
        pass

    def waited(self) -> None:
        pass

    def set_aside(self) -> None:
        pass


class Progress:
    """`at`: when work was last known to go on, in seconds of the event loop.

    `held` are the partitions that are not fetched, by the wish of their handler.
    """

    def __init__(self, observer: Observer | None = None) -> None:
        self.at = 0.0
        self.held: set[TopicPartition] = set()
        self.observer: Observer = observer or Nobody()

    def alive(self) -> None:
        """Called in the event loop: work goes on."""
        self.at = asyncio.get_running_loop().time()

    def waited(self) -> None:
        """A server that is away is waited for, which is no stall."""
        self.alive()
        self.observer.waited()
